// What the stories share: who shops, and what happens in the shop meanwhile.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { comeBack, eventually, most, say, stage } from "../browser/stage.mjs";

export { complaints, desk, eventually, excuse, most, phone, say } from "../browser/stage.mjs";

export const [url, sandbox, control, executablePath, story] = process.argv.slice(2);
const leaves = (request) => request.isNavigationRequest(); // customers go to their bank
const { device, windowOf: open, ask, tell } = await stage({ chromium, axe, executablePath, url, leaves });
export { ask, tell };

/** Somebody at a device of their own. */
export async function visitor({ at = url, ...options } = {}) {
  const context = await device(options);
  return { context, ...(await windowOf(context, at)) };
}

/** One more window of the same device, and what its visitor does there. */
export async function windowOf(context, at = url) {
  const { dialog: drawer, ...window } = await open(context, at);
  const { page, button, heading } = window;
  const asked = []; // names of the operations that went over HTTP
  page.on("request", (r) => {
    const name = /^\s*(?:query|mutation) (\w+)/.exec(r.url().endsWith("/graphql") ? (r.postDataJSON()?.query ?? "") : "")?.[1];
    if (name) asked.push(name);
  });
  const step = (status) => page.locator(`li[data-status=${status}]`).first();

  // settled waits until the shop has answered what was done to the cart.
  const settled = () => drawer.locator("footer[aria-busy=false]").waitFor();

  async function addToCart(handle, title) {
    await page.goto(`${at}/products/${handle}`);
    await heading(title).waitFor();
    await page.locator(".buy-row .button-main").click();
    await drawer.getByRole("link", { name: title, exact: true }).waitFor();
    await settled();
  }

  // press sends a form and waits for what comes of it, patiently: passwords take
  // a processor for a while, and on a busy machine the shop asks to come back.
  const refusal = () => page.getByRole("alert").filter({ hasNotText: comeBack });
  async function press(name, then) {
    const busy = page.getByRole("alert").filter({ hasText: comeBack });
    for (const end = Date.now() + 2 * most; ; ) {
      await button(name).first().click();
      await then.or(page.locator("form[aria-busy=false]")).first().waitFor();
      await then.or(busy).first().waitFor();
      if (await then.first().isVisible()) return;
      if (Date.now() > end) throw new Error(`${name}: the shop is busy and stays so`);
      say(`${name}: asked to come back`);
      await page.waitForTimeout(1_000);
    }
  }

  async function fillIn() {
    await page.locator("[name=email]").fill("ada@example.com");
    await page.locator("[name=lastName]").fill("Lovelace");
    await page.locator("[name=address1]").fill("Hafenstrasse 1");
    await page.locator("[name=zip]").fill("20359");
    await page.locator("[name=city]").fill("Hamburg");
  }

  const card = (method) => page.locator(`[name=method][value=${method}]`).check();
  const pay = () => page.locator("button[form=checkout]").click();

  // buy fills in the checkout and is led to the order.
  async function buy(method = "pm_card_visa") {
    await page.goto(`${at}/checkout`);
    await page.locator("[name=shippingRate]").first().waitFor();
    await fillIn();
    await card(method);
    await pay();
    await page.waitForURL(/\/order\//);
    await page.locator(".timeline li").first().waitFor();
  }

  // confirm says yes at the bank, as its page does, without leaving the order's.
  async function confirm() {
    const bank = await page.locator("[role=alert] a.button-main").getAttribute("href");
    const pressed = await fetch(bank, { method: "POST", body: new URLSearchParams({ decision: "confirm" }), redirect: "manual" });
    assert.ok(pressed.status < 400, `the bank says ${pressed.status}`);
  }

  // download presses what gives a file, and is certain that no secret stands in the address it comes from.
  async function download(what) {
    const sent = page.waitForRequest((r) => r.url().includes("/invoices/"));
    const [file] = await Promise.all([page.waitForEvent("download"), what.click()]);
    const token = new URL(page.url()).hash.slice(1);
    const request = await sent;
    assert.equal(new URL(request.url()).search, "", "something stands in the address of an invoice");
    assert.equal((await request.allHeaders()).authorization, token ? `Bearer ${decodeURIComponent(token)}` : undefined);
    const parts = [];
    for await (const part of await file.createReadStream()) parts.push(part);
    return { name: file.suggestedFilename(), text: Buffer.concat(parts).toString("latin1") };
  }

  // hold keeps back the requests of an operation until the returned function is
  // called.
  async function hold(name) {
    let letGo;
    const held = new Promise((done) => (letGo = done));
    await page.route("**/graphql", async (route) => {
      if (new RegExp(`^\\s*query ${name}\\b`).test(route.request().postDataJSON()?.query)) await held;
      await route.continue();
    });
    return letGo;
  }

  return { ...window, asked, step, drawer, settled, addToCart, refusal, press, fillIn, card, pay, buy, confirm, download, hold };
}

/** How the order of this page is, as the shop says it to a program. */
export async function statusOf(page) {
  const { pathname, hash } = new URL(page.url());
  const id = `gid://ordergraph/Order/${decodeURIComponent(pathname.split("/").at(-1))}`;
  const token = decodeURIComponent(hash.slice(1)) || undefined;
  return (await ask("query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { status } }", { id, token })).order.status;
}

/** A cart of these products, made elsewhere: its id. */
export async function cartOf(...handles) {
  const lines = [];
  for (const handle of handles) {
    const { product } = await ask("query ($handle: String!) { product(handle: $handle) { variants(first: 1) { nodes { id } } } }", { handle });
    lines.push({ merchandiseId: product.variants.nodes[0].id, quantity: 1 });
  }
  const { cartCreate } = await ask("mutation ($lines: [CartLineInput!]) { cartCreate(input: { lines: $lines }) { cart { id checkoutUrl } userErrors { message } } }", { lines });
  assert.deepEqual(cartCreate.userErrors, []);
  return cartCreate.cart;
}

/** Somebody else buys a cart. */
export async function buyElsewhere(cartId) {
  const input = {
    cartId,
    idempotencyKey: crypto.randomUUID(),
    email: "grace@example.com",
    shippingAddress: { lastName: "Hopper", address1: "Kai 7", city: "Hamburg", zip: "20457", countryCode: "DE" },
    payment: { method: "pm_card_visa" },
  };
  await eventually("another one has bought it", async () => {
    const { checkout } = await ask("mutation ($input: CheckoutInput!) { checkout(input: $input) { order { status } userErrors { message } } }", { input });
    assert.deepEqual(checkout.userErrors, []);
    return checkout.order.status === "CONFIRMED";
  });
}
