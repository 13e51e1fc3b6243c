// What the tests of all clients know of the shop, and a purchase over nothing
// but fetch.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const base = process.env.SHOP_URL;
export const endpoint = `${base}/graphql`;
export const socket = endpoint.replace(/^http/, "ws");

// patience is how long anything may take on a busy machine, in milliseconds.
export const patience = 120_000;

// Cards of the sandbox: one that is approved at once, one that the customer
// has to confirm at the bank, and one that is declined.
export const cards = {
  fine: "pm_card_visa",
  atTheBank: "pm_card_authenticationRequired",
  declined: "pm_card_visa_chargeDeclined",
};

export const documents = {
  shop: "{ shop { name } }",
  search: /* GraphQL */ `
    query Search($query: String!) {
      products(first: 10, query: $query) {
        nodes { id title handle variants(first: 1) { nodes { id availableForSale price { amount currencyCode } } } }
      }
    }`,
  cartCreate: /* GraphQL */ `
    mutation CartCreate($variant: ID!) {
      cartCreate(input: { lines: [{ merchandiseId: $variant, quantity: 1 }] }) {
        cart { id totalQuantity cost { totalAmount { amount currencyCode } } }
        userErrors { code field message }
      }
    }`,
  checkout: /* GraphQL */ `
    mutation Checkout($input: CheckoutInput!) {
      checkout(input: $input) {
        order { id number version status payment { state actionUrl } totals { totalAmount { amount currencyCode } } }
        accessToken
        userErrors { code field message }
      }
    }`,
  order: /* GraphQL */ `
    query Order($id: ID!, $token: String) {
      order(id: $id, accessToken: $token) { id number version status timeline { status } }
    }`,
  watch: /* GraphQL */ `
    subscription Watch($id: ID!, $token: String, $after: Int) {
      orderStatus(orderId: $id, accessToken: $token, afterVersion: $after) {
        id number version status timeline { status }
      }
    }`,
};

// ask runs an operation that must succeed.
export async function ask(query, variables) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(patience),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

// variant finds something that can be bought.
export async function variant() {
  const { products } = await ask(documents.search, { query: "mug" });
  const found = products.nodes.map((p) => p.variants.nodes[0]).find((v) => v.availableForSale);
  assert.ok(found, JSON.stringify(products));
  return found;
}

export function checkoutInput(cartId, card) {
  return {
    cartId,
    idempotencyKey: randomUUID(),
    email: "ada@example.com",
    shippingAddress: {
      firstName: "Ada", lastName: "Lovelace", address1: "Hafenstrasse 1", city: "Hamburg", zip: "20359", countryCode: "DE",
    },
    payment: { method: card },
  };
}

// buy makes an order and returns it with the token that shows it.
export async function buy(card) {
  const { cartCreate } = await ask(documents.cartCreate, { variant: (await variant()).id });
  assert.deepEqual(cartCreate.userErrors, []);
  const { checkout } = await ask(documents.checkout, { input: checkoutInput(cartCreate.cart.id, card) });
  assert.ok(checkout.order, JSON.stringify(checkout));
  return { ...checkout.order, token: checkout.accessToken };
}

export function watching(order) {
  return { id: order.id, token: order.token };
}

// confirm is the customer saying yes at the bank.
export async function confirm(order) {
  assert.ok(order.payment.actionUrl, JSON.stringify(order));
  const answer = await fetch(order.payment.actionUrl, {
    method: "POST",
    body: new URLSearchParams({ decision: "confirm" }),
    redirect: "manual",
    signal: AbortSignal.timeout(patience),
  });
  assert.ok(answer.status < 400, `the bank answers ${answer.status}`);
}

// confirmed reports whether the order has been paid, however far it is by now.
export function confirmed(order) {
  return order.timeline.some((step) => step.status === "CONFIRMED");
}

// story checks what a client has seen of an order: its version only grew, and
// in the end it was confirmed.
export function story(seen, order) {
  assert.ok(seen.length > 0, "nothing was seen");
  for (const [i, now] of seen.entries()) {
    assert.equal(now.id, order.id);
    assert.ok(i === 0 || now.version > seen[i - 1].version, `versions ${seen.map((o) => o.version)}`);
  }
  assert.ok(confirmed(seen.at(-1)), `it ended as ${seen.at(-1).status}`);
}
