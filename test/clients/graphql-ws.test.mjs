// graphql-ws: queries, mutations and subscriptions over one socket, and what
// becomes of a subscription when the line breaks.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createClient } from "graphql-ws";
import "./browser.mjs";
import { proxy } from "./proxy.mjs";
import {
  ask, buy, cards, checkoutInput, confirm, confirmed, documents, patience, socket, story, variant, watching,
} from "./shop.mjs";

const client = createClient({ url: socket, retryAttempts: 0 });
after(() => client.dispose());

// once runs an operation that gives one answer, which must be a good one.
async function once(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }
  assert.fail("no answer");
}

// watch collects what is seen of an order until it is confirmed.
async function watch(order, on = client, seen = [], look = () => {}) {
  const variables = watching(order);
  for await (const { data, errors } of on.iterate({ query: documents.watch, variables })) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    seen.push(data.orderStatus);
    variables.after = data.orderStatus.version; // sent again if the client has to connect again
    if (confirmed(data.orderStatus)) break;
    await look(seen.length === 1);
  }
  return seen;
}

test("a whole purchase over one socket", { timeout: patience }, async () => {
  const { cartCreate } = await once(documents.cartCreate, { variant: (await variant()).id });
  assert.deepEqual(cartCreate.userErrors, []);
  const { checkout } = await once(documents.checkout, { input: checkoutInput(cartCreate.cart.id, cards.atTheBank) });
  const order = { ...checkout.order, token: checkout.accessToken };
  assert.equal(order.status, "PAYING");

  const seen = await watch(order, client, [], () => confirm(order));
  assert.equal(seen[0].status, "PAYING", "first comes what is");
  story(seen, order);
});

test("an order that is done is seen at once", { timeout: patience }, async () => {
  const order = await buy(cards.fine);
  const seen = await watch(order);
  assert.equal(seen.length, 1);
  story(seen, order);
});

test("several streams on one socket", { timeout: patience }, async () => {
  const orders = await Promise.all([buy(cards.atTheBank), buy(cards.atTheBank), buy(cards.fine)]);
  const seen = await Promise.all(
    orders.map((order) => watch(order, client, [], (first) => first && order.payment?.actionUrl && confirm(order))),
  );
  seen.forEach((of, i) => story(of, orders[i]));
});

test("a stream that the client ends leaves the socket be", { timeout: patience }, async () => {
  const order = await buy(cards.atTheBank);
  for await (const { data } of client.iterate({ query: documents.watch, variables: watching(order) })) {
    assert.equal(data.orderStatus.status, "PAYING");
    break;
  }
  assert.deepEqual(await once(documents.shop), await ask(documents.shop));
  await confirm(order);
  story(await watch(order), order);
});

test("a stranger sees nothing", { timeout: patience }, async () => {
  const order = await buy(cards.fine);
  const codes = [];
  const variables = { id: order.id, token: "wrong" };
  try {
    for await (const { errors } of client.iterate({ query: documents.watch, variables })) {
      codes.push(...errors.map((e) => e.extensions.code));
    }
  } catch (errors) {
    codes.push(...errors.map((e) => e.extensions.code));
  }
  assert.deepEqual(codes, ["NOT_FOUND"]);
});

test("a document that is not valid is told so", { timeout: patience }, async () => {
  await assert.rejects(once("{ nothing }"), (errors) => {
    assert.equal(errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    return true;
  });
  assert.deepEqual(await once(documents.shop), await ask(documents.shop), "the socket is still there");
});

test("a token that does not hold is asked for again", { timeout: patience }, async () => {
  const shown = [{ authorization: "Bearer of-somebody-else" }, {}];
  const closed = [];
  const renewing = createClient({
    url: socket,
    retryAttempts: 5,
    retryWait: () => new Promise((r) => setTimeout(r, 20)),
    connectionParams: () => shown.shift(),
    on: { closed: ({ code }) => closed.push(code) },
  });
  try {
    const order = await buy(cards.fine);
    story(await watch(order, renewing), order);
    assert.equal(closed[0], 4403);
    assert.equal(shown.length, 0);
  } finally {
    await renewing.dispose();
  }
});

test("a broken line: nothing twice, nothing missed", { timeout: patience }, async () => {
  const line = await proxy(socket);
  const reconnecting = createClient({ url: line.url, retryAttempts: 100, retryWait: () => new Promise((r) => setTimeout(r, 20)) });
  try {
    const order = await buy(cards.atTheBank);
    const seen = await watch(order, reconnecting, [], async (first) => {
      if (!first) return;
      assert.ok(line.cut() > 0, "there was a connection to cut");
      await confirm(order); // while the client is away, or back again
    });
    story(seen, order);
    const now = await ask(documents.order, watching(order));
    assert.ok(seen.at(-1).version <= now.order.version);
  } finally {
    await reconnecting.dispose();
    line.close();
  }
});
