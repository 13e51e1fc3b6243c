// Apollo Client: queries, mutations, persisted queries, and subscriptions by
// WebSocket and as multipart answers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import "./browser.mjs";
import {
  buy, cards, checkoutInput, confirm, confirmed, documents, endpoint, patience, socket, story, variant, watching,
} from "./shop.mjs";

const client = (link) => new ApolloClient({ link, cache: new InMemoryCache() });
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// watch follows an order until it is confirmed.
function watch(apollo, order, look = () => {}) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const subscription = apollo.subscribe({ query: gql(documents.watch), variables: watching(order) }).subscribe({
      async next({ data, error }) {
        try {
          assert.equal(error, undefined, String(error));
          seen.push(data.orderStatus);
          if (confirmed(data.orderStatus)) {
            subscription.unsubscribe();
            resolve(seen);
          } else await look(data.orderStatus);
        } catch (wrong) {
          reject(wrong);
        }
      },
      error: reject,
      complete: () => resolve(seen),
    });
  });
}

test("a purchase over HTTP", { timeout: patience }, async () => {
  const apollo = client(new HttpLink({ uri: endpoint }));
  const found = await apollo.query({ query: gql(documents.search), variables: { query: "mug" } });
  assert.ok(found.data.products.nodes.length > 0);
  const made = await apollo.mutate({ mutation: gql(documents.cartCreate), variables: { variant: (await variant()).id } });
  const { cart, userErrors } = made.data.cartCreate;
  assert.deepEqual(userErrors, []);
  const bought = await apollo.mutate({ mutation: gql(documents.checkout), variables: { input: checkoutInput(cart.id, cards.fine) } });
  const { order, accessToken } = bought.data.checkout;
  const read = await apollo.query({ query: gql(documents.order), variables: { id: order.id, token: accessToken } });
  assert.ok(confirmed(read.data.order), JSON.stringify(read.data.order));
});

test("a declined card is an answer, not an error", { timeout: patience }, async () => {
  const apollo = client(new HttpLink({ uri: endpoint }));
  const made = await apollo.mutate({ mutation: gql(documents.cartCreate), variables: { variant: (await variant()).id } });
  const input = checkoutInput(made.data.cartCreate.cart.id, cards.declined);
  const { data } = await apollo.mutate({ mutation: gql(documents.checkout), variables: { input } });
  assert.equal(data.checkout.order.status, "FAILED");
  assert.deepEqual(data.checkout.userErrors.map((e) => e.code), ["CARD_DECLINED"]);
});

for (const [policy, check] of Object.entries({
  none: async (asked) => {
    await assert.rejects(asked, (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
      return true;
    });
  },
  all: async (asked) => {
    const { data, error } = await asked;
    assert.equal(data ?? undefined, undefined, "`orders` may not be null, nor may the answer then");
    assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
  },
  ignore: async (asked) => assert.equal((await asked).error, undefined),
})) {
  test(`error policy ${policy}`, { timeout: patience }, async () => {
    const apollo = client(new HttpLink({ uri: endpoint }));
    await check(apollo.query({ query: gql`{ orders(first: 1) { nodes { id } } }`, errorPolicy: policy }));
  });
}

test("persisted queries: by hash, by GET, and told once", { timeout: patience }, async () => {
  const sent = [];
  const recording = (to, init) => {
    sent.push(init.method);
    return fetch(to, init);
  };
  const persisted = () =>
    client(ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
      new HttpLink({ uri: endpoint, fetch: recording }),
    ]));
  // A name of its own makes it a document that nobody has sent before.
  const query = gql(`query PersistedSearch${Date.now()} { products(first: 2) { nodes { id title } } }`);
  const first = await persisted().query({ query });
  assert.equal(first.data.products.nodes.length, 2);
  assert.equal(sent[0], "GET");
  assert.equal(sent.length, 2, "asked by hash, then told");
  const second = await persisted().query({ query });
  assert.deepEqual(second.data, first.data);
  assert.deepEqual(sent.slice(2), ["GET"], "asked by hash, known");
});

test("a mutation by hash is sent by POST", { timeout: patience }, async () => {
  const methods = [];
  const recording = (to, init) => {
    methods.push(init.method);
    return fetch(to, init);
  };
  const apollo = client(ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new HttpLink({ uri: endpoint, fetch: recording }),
  ]));
  const mutation = gql(documents.cartCreate.replace("CartCreate", `CartCreate${Date.now()}`));
  const { data } = await apollo.mutate({ mutation, variables: { variant: (await variant()).id } });
  assert.equal(data.cartCreate.cart.totalQuantity, 1);
  assert.deepEqual(methods, ["POST", "POST"]);
});

test("subscriptions by WebSocket", { timeout: patience }, async () => {
  const sockets = createClient({ url: socket, retryAttempts: 0 });
  try {
    const apollo = client(ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: endpoint }),
    ));
    const order = await buy(cards.atTheBank);
    story(await watch(apollo, order, () => confirm(order)), order);
  } finally {
    await sockets.dispose();
  }
});

test("subscriptions as multipart answers", { timeout: patience }, async () => {
  const types = [];
  const recording = async (to, init) => {
    const response = await fetch(to, init);
    types.push(response.headers.get("content-type"));
    return response;
  };
  const apollo = client(new HttpLink({ uri: endpoint, fetch: recording }));
  const order = await buy(cards.atTheBank);
  story(await watch(apollo, order, () => confirm(order)), order);
  assert.equal(types.length, 1);
  assert.match(types[0], /^multipart\/mixed/);
});

test("a subscription to what is not there ends with an error", { timeout: patience }, async () => {
  const apollo = client(new HttpLink({ uri: endpoint }));
  const order = await buy(cards.fine);
  await assert.rejects(watch(apollo, { ...order, token: "wrong" }), /order/i);
});

test("a query watched in the cache moves with a subscription", { timeout: patience }, async () => {
  const apollo = client(new HttpLink({ uri: endpoint }));
  const order = await buy(cards.atTheBank);
  const shown = [];
  const query = apollo
    .watchQuery({ query: gql(documents.order), variables: watching(order) })
    .subscribe(({ data }) => data?.order && shown.push(data.order.status));
  await apollo.query({ query: gql(documents.order), variables: watching(order) });
  const seen = await watch(apollo, order, () => confirm(order));
  story(seen, order);
  for (const end = Date.now() + patience / 2; shown.at(-1) !== seen.at(-1).status && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  query.unsubscribe();
  assert.equal(shown[0], "PAYING");
  assert.equal(shown.at(-1), seen.at(-1).status);
});
