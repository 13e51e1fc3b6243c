// graphql-sse: server-sent events, each operation on a connection of its own
// and all of them on one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-sse";
import { proxy } from "./proxy.mjs";
import { ask, buy, cards, confirm, confirmed, documents, endpoint, patience, story, variant, watching } from "./shop.mjs";

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

for (const singleConnection of [false, true]) {
  const mode = singleConnection ? "one connection for all" : "distinct connections";
  const to = (url, retryAttempts) =>
    createClient({ url: singleConnection ? `${url}/stream` : url, singleConnection, retryAttempts, retry: soon });

  async function watch(client, order, look = () => {}) {
    const seen = [];
    const variables = watching(order);
    for await (const { data, errors } of client.iterate({ query: documents.watch, variables })) {
      assert.equal(errors, undefined, JSON.stringify(errors));
      seen.push(data.orderStatus);
      variables.after = data.orderStatus.version;
      if (confirmed(data.orderStatus)) break;
      await look(seen.length === 1);
    }
    return seen;
  }

  async function once(client, query, variables) {
    for await (const { data, errors } of client.iterate({ query, variables })) {
      assert.equal(errors, undefined, JSON.stringify(errors));
      return data;
    }
    assert.fail("no answer");
  }

  test(`${mode}: queries and mutations`, { timeout: patience }, async () => {
    const client = to(endpoint, 0);
    try {
      assert.deepEqual(await once(client, documents.shop), await ask(documents.shop));
      const { cartCreate } = await once(client, documents.cartCreate, { variant: (await variant()).id });
      assert.equal(cartCreate.cart.totalQuantity, 1);
    } finally {
      client.dispose();
    }
  });

  test(`${mode}: several orders`, { timeout: patience }, async () => {
    const client = to(endpoint, 0);
    try {
      const orders = await Promise.all([buy(cards.atTheBank), buy(cards.fine), buy(cards.atTheBank)]);
      const seen = await Promise.all(
        orders.map((order) => watch(client, order, (first) => first && order.payment?.actionUrl && confirm(order))),
      );
      seen.forEach((of, i) => story(of, orders[i]));
    } finally {
      client.dispose();
    }
  });

  test(`${mode}: a document that is not valid`, { timeout: patience }, async () => {
    const client = to(endpoint, 0);
    try {
      await assert.rejects(once(client, "{ nothing }"), ({ response }) => response?.status === 400);
    } finally {
      client.dispose();
    }
  });

  test(`${mode}: a broken line: nothing twice, nothing missed`, { timeout: patience }, async () => {
    const line = await proxy(endpoint);
    const client = to(line.url, 100);
    try {
      const order = await buy(cards.atTheBank);
      const seen = await watch(client, order, async (first) => {
        if (!first) return;
        assert.ok(line.cut() > 0, "there was a connection to cut");
        await confirm(order);
      });
      story(seen, order);
    } finally {
      client.dispose();
      line.close();
    }
  });
}
