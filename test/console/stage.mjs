// What the stories share: a real browser, who works in it, and what must not
// happen to any of them. On every page: nothing that axe finds, in light and in
// the dark, nothing that leaves the shop's origin, nothing that the browser
// complains of, nothing wider than the screen.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const [url, password, executablePath, story, sandbox] = process.argv.slice(2);
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
export async function visitor(viewport = desk) {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", viewport });
  await context.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (e) => console.error(`violates ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile} ${e.sample}`)),
  );
  const page = await context.newPage();
  page.setDefaultTimeout(most);
  pages.push(page);
  const { origin } = new URL(url);
  const ours = (address) => new URL(address.replace(/^(ws|blob:)/, (start) => (start === "ws" ? "http" : ""))).origin === origin;
  page.on("request", (r) => ours(r.url()) || complaints.push(`a request to ${r.url()}`));
  page.on("websocket", (s) => ours(s.url()) || complaints.push(`a WebSocket to ${s.url()}`));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !excused.some((pattern) => pattern.test(m.text())) && complaints.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));

  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  const heading = (name) => page.getByRole("heading", { level: 1, name });
  const rows = page.locator("main tbody tr");
  const dialog = page.getByRole("dialog");
  const told = (what) => page.locator(".notices [role=status]").filter({ hasText: what });

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

  // signIn goes to a page of the console, and through its door. Passwords take a
  // processor for a while, and a busy shop asks to come back.
  const comeBack = page.getByRole("alert").filter({ hasText: /That was a lot at once|having a rest|cannot be reached|took too long/ });
  async function pass(email, word, then) {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(word);
    for (const end = Date.now() + 2 * most; ; ) {
      await button("Sign in").click();
      await then.or(page.locator("form[aria-busy=false]")).first().waitFor();
      await then.or(comeBack).first().waitFor();
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

  return { context, page, button, link, heading, rows, dialog, told, fits, pass, signIn };
}

/** Asks the shop something that must succeed, as a program does, with a token as somebody. */
export async function ask(query, variables, token) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...(token && { Authorization: `Bearer ${token}` }) },
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
