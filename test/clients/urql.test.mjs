// urql: queries, persisted queries, and subscriptions by graphql-ws and by its
// own means, which are fetch and a stream of multipart or server-sent events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createClient } from "graphql-ws";
import "./browser.mjs";
import {
  buy, cards, checkoutInput, confirm, confirmed, documents, endpoint, patience, socket, story, variant, watching,
} from "./shop.mjs";

const urql = (options) => new Client({ url: endpoint, exchanges: [fetchExchange], preferGetMethod: false, ...options });

async function good(asked) {
  const { data, error } = await asked.toPromise();
  assert.equal(error, undefined, String(error));
  return data;
}

// watch follows an order until it is confirmed.
function watch(client, order, look = () => {}) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const { unsubscribe } = client.subscription(documents.watch, watching(order)).subscribe(async ({ data, error }) => {
      try {
        if (error) throw error;
        seen.push(data.orderStatus);
        if (confirmed(data.orderStatus)) {
          setImmediate(unsubscribe); // in here, urql's fetch would complain that it was aborted
          resolve(seen);
        } else await look(data.orderStatus);
      } catch (wrong) {
        reject(wrong);
      }
    });
  });
}

test("a purchase over HTTP", { timeout: patience }, async () => {
  const client = urql();
  const { products } = await good(client.query(documents.search, { query: "mug" }));
  assert.ok(products.nodes.length > 0);
  const { cartCreate } = await good(client.mutation(documents.cartCreate, { variant: (await variant()).id }));
  const { checkout } = await good(client.mutation(documents.checkout, { input: checkoutInput(cartCreate.cart.id, cards.fine) }));
  const { order } = await good(client.query(documents.order, { id: checkout.order.id, token: checkout.accessToken }));
  assert.ok(confirmed(order), JSON.stringify(order));
});

test("an error has a code", { timeout: patience }, async () => {
  const { data, error } = await urql().query("{ shop { name } orders(first: 1) { nodes { id } } }", {}).toPromise();
  assert.equal(data ?? undefined, undefined);
  assert.deepEqual(error.graphQLErrors.map((e) => e.extensions.code), ["UNAUTHENTICATED"]);
});

test("persisted queries", { timeout: patience }, async () => {
  const sent = [];
  const recording = (to, init) => {
    sent.push(init.method);
    return fetch(to, init);
  };
  const client = () =>
    urql({
      fetch: recording,
      exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
    });
  const query = `query Persisted${Date.now()} { products(first: 2) { nodes { id title } } }`;
  assert.equal((await good(client().query(query, {}))).products.nodes.length, 2);
  assert.equal(sent.length, 2, "asked by hash, then told");
  assert.equal((await good(client().query(query, {}))).products.nodes.length, 2);
  assert.deepEqual(sent.slice(2), ["GET"], "asked by hash, known");
});

test("subscriptions by graphql-ws", { timeout: patience }, async () => {
  const sockets = createClient({ url: socket, retryAttempts: 0 });
  try {
    const client = urql({
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ ...request, query: request.query ?? "" }, sink) }),
          }),
        }),
      ],
    });
    const order = await buy(cards.atTheBank);
    story(await watch(client, order, () => confirm(order)), order);
  } finally {
    await sockets.dispose();
  }
});

for (const accept of [undefined, "text/event-stream", "multipart/mixed;subscriptionSpec=1.0"]) {
  test(`subscriptions by fetch, accepting ${accept ?? "what urql accepts"}`, { timeout: patience }, async () => {
    const types = [];
    const recording = async (to, init) => {
      const response = await fetch(to, init);
      types.push(response.headers.get("content-type"));
      return response;
    };
    const client = urql({
      fetch: recording,
      fetchSubscriptions: true,
      fetchOptions: accept ? { headers: { Accept: accept } } : {},
    });
    const order = await buy(cards.atTheBank);
    story(await watch(client, order, () => confirm(order)), order);
    assert.equal(types.length, 1);
    assert.ok(types[0].startsWith(accept?.split(";")[0] ?? "text/event-stream"), types[0]);
  });
}
