// What the stories share: who works in the shop, and what happens there meanwhile.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { comeBack, eventually, most, say, stage } from "../browser/stage.mjs";

export { eventually, excuse, most, phone, say } from "../browser/stage.mjs";

export const [url, password, executablePath, story, sandbox] = process.argv.slice(2);
const { device, windowOf, ask, tell } = await stage({ chromium, axe, executablePath, url });
export { ask, tell };

/** Somebody at a device of their own. */
export async function visitor(viewport) {
  const context = await device(viewport && { viewport });
  const window = await windowOf(context);
  const { page, button, link, heading } = window;
  const rows = page.locator("main tbody tr");
  const told = (what) => page.locator(".notices [role=status]").filter({ hasText: what });

  // signIn goes to a page of the console, and through its door. Passwords take a
  // processor for a while, and a busy shop asks to come back.
  const busy = page.getByRole("alert").filter({ hasText: comeBack });
  async function pass(email, word, then) {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(word);
    for (const end = Date.now() + 2 * most; ; ) {
      await button("Sign in").click();
      await then.or(page.locator("form[aria-busy=false]")).first().waitFor();
      await then.or(busy).first().waitFor();
      if (await then.first().isVisible()) return;
      if (Date.now() > end) throw new Error("the shop is busy and stays so");
      await page.waitForTimeout(1_000);
    }
  }
  async function signIn(role, path = "") {
    await page.goto(`${url}/console${path}`);
    await heading("Sign in").waitFor();
    await pass(`${role}@example.com`, password, link("Console"));
    say(`${role} is in`);
  }

  return { context, ...window, rows, told, pass, signIn };
}

/** An access token of who has this role. */
export async function tokenOf(role) {
  let token;
  await eventually(`${role} signs in`, async () => {
    const { customerAccessTokenCreate } = await ask("mutation ($input: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $input) { customerAccessToken { accessToken } } }", {
      input: { email: `${role}@example.com`, password },
    });
    token = customerAccessTokenCreate.customerAccessToken.accessToken;
    return true;
  });
  return token;
}

/** A customer buys so many of each of these products: the confirmed order, or one that failed, and the token that shows it. */
export async function buy({ quantities = { "harbour-mug": 1 }, card = "pm_card_visa", email = "ada@example.com" } = {}) {
  const lines = [];
  for (const [handle, quantity] of Object.entries(quantities)) {
    const { product } = await ask("query ($handle: String!) { product(handle: $handle) { variants(first: 1) { nodes { id } } } }", { handle });
    lines.push({ merchandiseId: product.variants.nodes[0].id, quantity });
  }
  const { cartCreate } = await ask("mutation ($lines: [CartLineInput!]) { cartCreate(input: { lines: $lines }) { cart { id } userErrors { message } } }", { lines });
  assert.deepEqual(cartCreate.userErrors, []);
  const input = {
    cartId: cartCreate.cart.id,
    idempotencyKey: crypto.randomUUID(),
    email,
    phone: "+491701234567",
    shippingAddress: { firstName: "Ada", lastName: "Lovelace", address1: "Hafenstrasse 1", city: "Hamburg", zip: "20359", countryCode: "DE" },
    payment: { method: card },
  };
  let bought;
  await eventually("an order has been made", async () => {
    const { checkout } = await ask("mutation ($input: CheckoutInput!) { checkout(input: $input) { accessToken order { id number status totals { totalAmount { amount } } } } }", { input });
    bought = { ...checkout.order, token: checkout.accessToken };
    return ["CONFIRMED", "FAILED"].includes(bought.status);
  });
  return bought;
}

/** The warehouse takes the order's parcels so far: pick, pack or ship. */
export async function fulfil(token, id, ...steps) {
  const consignments = async () => (await ask("query ($id: ID!) { order(id: $id) { fulfillments { id } } }", { id }, token)).order.fulfillments;
  await eventually("the order has parcels", async () => (await consignments()).length > 0);
  for (const { id: consignment } of await consignments())
    for (const step of steps) {
      const data = await ask(`mutation ($id: ID!) { done: consignment${step}(id: $id) { userErrors { message } } }`, { id: consignment }, token);
      assert.deepEqual(data.done.userErrors, [], step);
    }
}

export const pathOf = (id) => `/console/orders/${id.replace("gid://ordergraph/Order/", "")}`;
