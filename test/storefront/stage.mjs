// What the stories share: a real browser, its visitors, and what must not happen
// to any of them. On every page: nothing that axe finds, in light and in the
// dark, nothing that leaves the shop's origin, nothing that the browser
// complains of, nothing wider than the screen.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const [url, sandbox, control, executablePath, story] = process.argv.slice(2);
export const most = 60_000; // for any one thing to happen, on a slow machine too
const began = Date.now();
export const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${what}`);

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 900 };

export const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  timeout: most,
});

export const complaints = [];
// On a slow machine: a font that came later than the browser hoped, a socket whose page was left before it was open.
const excused = [/was preloaded using link preload but not used|WebSocket connection to .* failed/];

/** What a story brings about on purpose is no complaint. */
export const excuse = (pattern) => excused.push(pattern);

export const pages = [];

/** Somebody at a device of their own. */
export async function visitor({ at = url, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", viewport: desk, acceptDownloads: true, ...options });
  await context.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (e) => console.error(`violates ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile} ${e.sample}`)),
  );
  return { context, ...(await windowOf(context, at)) };
}

/** One more window of the same device, and what its visitor does there. */
export async function windowOf(context, at = url) {
  const page = await context.newPage();
  page.setDefaultTimeout(most);
  pages.push(page);
  const origin = new URL(at).origin;
  const ours = (address) => new URL(address.replace(/^(ws|blob:)/, (start) => (start === "ws" ? "http" : ""))).origin === origin;
  const asked = []; // names of the operations that went over HTTP
  page.on("request", (r) => {
    if (!ours(r.url()) && !r.isNavigationRequest()) complaints.push(`a request to ${r.url()}`);
    const name = /^\s*(?:query|mutation) (\w+)/.exec(r.url().endsWith("/graphql") ? (r.postDataJSON()?.query ?? "") : "")?.[1];
    if (name) asked.push(name);
  });
  page.on("websocket", (s) => ours(s.url()) || complaints.push(`a WebSocket to ${s.url()}`));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !excused.some((pattern) => pattern.test(m.text())) && complaints.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));

  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  const heading = (name) => page.getByRole("heading", { level: 1, name });
  const step = (status) => page.locator(`li[data-status=${status}]`).first();
  const drawer = page.getByRole("dialog");

  // fits looks at the page as it is: with axe, and for what is wider than the screen.
  async function fits(what) {
    await page.evaluate(axe.source);
    for (const colorScheme of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
      for (const { id, help, nodes } of found) complaints.push(`${what}, ${colorScheme}: ${id}: ${help}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`);
    }
    const [width, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (width > screen) complaints.push(`${what}: ${width} pixels wide on a screen of ${screen}`);
    say(`${what}: looked at`);
  }

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
  const comeBack = /That was a lot at once|having a rest|cannot be reached/;
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

  return { page, asked, button, link, heading, step, drawer, settled, fits, addToCart, refusal, press, fillIn, card, pay, buy, confirm, download, hold };
}

/** Asks the shop something that must succeed, as a program does. */
export async function ask(query, variables) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(most),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Tries until what it is asked for is so. */
export async function eventually(what, is) {
  let cause; // a busy shop refuses now and then
  for (const end = Date.now() + 2 * most; !(await is().catch((error) => void (cause = error))); await new Promise((done) => setTimeout(done, 100)))
    if (Date.now() > end) throw new Error(`it never came to be: ${what}`, { cause });
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
