// A customer of the storefront: a guest on a phone, from the search to the order
// that moves by itself, or somebody with an account at a desk. On every page:
// nothing that axe finds, nothing that leaves the shop's origin, nothing that
// the browser complains of, nothing wider than the screen.
//
//   node customer.mjs URL SANDBOX BROWSER guest|account
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [url, sandbox, executablePath, story] = process.argv.slice(2);
const most = 60_000; // for any one thing to happen, on a slow machine too
const began = Date.now();
const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${what}`);

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  timeout: most,
});
const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", viewport: story === "guest" ? { width: 390, height: 844 } : { width: 1280, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(most);

// What must not happen.
const complaints = [];
const asked = []; // names of the operations that went over HTTP
const origin = new URL(url).origin;
const ours = (address) => new URL(address.replace(/^ws/, "http")).origin === origin;
page.on("request", (r) => {
  if (!ours(r.url()) && !r.isNavigationRequest()) complaints.push(`a request to ${r.url()}`);
  const name = /^\s*(?:query|mutation) (\w+)/.exec(r.url().endsWith("/graphql") ? (r.postDataJSON()?.query ?? "") : "")?.[1];
  if (name) asked.push(name);
});
page.on("websocket", (s) => ours(s.url()) || complaints.push(`a WebSocket to ${s.url()}`));
// On a slow machine: a font that came later than the browser hoped, a socket whose page was left before it was open.
const excused = /was preloaded using link preload but not used|WebSocket connection to .* failed/;
page.on("console", (m) => ["error", "warning"].includes(m.type()) && !excused.test(m.text()) && complaints.push(`${m.type()}: ${m.text()}`));
page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));
await page.addInitScript(() =>
  document.addEventListener("securitypolicyviolation", (e) => console.error(`violates ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile} ${e.sample}`)),
);

const button = (name) => page.getByRole("button", { name, exact: true });
const heading = (name) => page.getByRole("heading", { level: 1, name });

// fits looks at the page as it is: with axe, and for what is wider than the screen.
async function fits(what) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
  for (const { id, help, nodes } of found) complaints.push(`${what}: ${id}: ${help}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`);
  const [width, most] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (width > most) complaints.push(`${what}: ${width} pixels wide on a screen of ${most}`);
  say(`${what}: looked at`);
}

// light: what the first page needs of scripts stays small, compressed.
async function light() {
  const html = await (await fetch(url)).text();
  let bytes = 0;
  for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)) {
    const answer = await fetch(url + path, { headers: { "Accept-Encoding": "gzip" } });
    bytes += Number(answer.headers.get("Content-Length"));
    assert.match(answer.headers.get("Cache-Control"), /immutable/);
  }
  say(`the first page has ${(bytes / 1024).toFixed(0)} KB of scripts, gzipped`);
  assert.ok(bytes > 0 && bytes <= 150 * 1024);
}

async function addToCart(title) {
  await heading(title).waitFor();
  await button("Add to cart").click();
  const drawer = page.getByRole("dialog", { name: "Cart" });
  await drawer.getByRole("link", { name: title, exact: true }).waitFor();
  // The sum stands when the shop has answered.
  await drawer.locator("footer[aria-busy=false]").waitFor();
  return drawer;
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
  await page.getByRole("textbox", { name: "E-mail" }).fill("ada@example.com");
  await page.getByLabel("Last name").fill("Lovelace");
  await page.getByLabel("Street and number").fill("Hafenstrasse 1");
  await page.getByLabel("Postcode").fill("20359");
  await page.getByLabel("Town").fill("Hamburg");
}

const pay = () => page.getByRole("button", { name: /^Pay / }).click();

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

// The shop cannot say how the order is when it is first watched.
let refused = 0;
const refuseOnce = (socket) => {
  const server = socket.connectToServer();
  socket.onMessage((message) => {
    const { id, type, payload } = JSON.parse(message);
    if (type !== "subscribe" || !/subscription OrderStatus/.test(payload.query) || refused++) return server.send(message);
    socket.send(JSON.stringify({ id, type: "error", payload: [{ message: "away", extensions: { code: "UNAVAILABLE" } }] }));
  });
};

async function guest() {
  await page.routeWebSocket(/\/graphql$/, refuseOnce);
  await page.goto(url);
  await heading("Plain things that last.").waitFor();
  await page.locator(".cards article").first().waitFor();
  assert.ok(!asked.includes("Home") && !asked.includes("Shop"), `the first page asked once more: ${asked}`);
  await light();
  await fits("home");
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await fits("home in the dark");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });

  // Search: suggestions, then the list, whose address keeps what was chosen.
  const field = page.getByRole("combobox", { name: "Search" });
  await field.fill("harbor mu");
  await page.getByRole("option", { name: /Harbour Mug/ }).waitFor();
  await fits("suggestions");
  await field.fill("mug");
  await field.press("Enter");
  await heading("“mug”").waitFor();
  await page.getByLabel("Sort").selectOption({ label: "Price, low to high" });
  const filters = page.locator("summary", { hasText: "Filters" });
  await filters.click();
  const maker = page.getByRole("checkbox", { name: /Kontor & Söhne/ });
  await maker.check();
  await page.waitForFunction(() => /vendor=/.test(location.search) && document.querySelector("section[aria-busy=false]"));
  const count = page.locator(".list-bar [role=status]");
  await page.waitForFunction(() => document.querySelectorAll(".list .card a").length === Number.parseInt(document.querySelector(".list-bar [role=status]").textContent));
  const chosen = await count.textContent();
  await page.reload();
  await page.locator(".list .card a").first().waitFor();
  assert.equal(await count.textContent(), chosen, "the filter did not survive the reload");
  await filters.click();
  assert.ok(await maker.isChecked());
  await fits("search");
  await page.goBack();
  await page.waitForFunction(() => !/vendor=/.test(location.search));
  await page.goForward();
  await page.waitForFunction(() => /vendor=/.test(location.search));
  await page.getByRole("link", { name: "Harbour Mug", exact: true }).click();
  await heading("Harbour Mug").waitFor();
  await page.getByRole("heading", { name: "Goes well with" }).waitFor();
  await fits("product");
  say("found it");

  // Cart: shown at once, changed, and refused in plain words.
  const drawer = await addToCart("Harbour Mug");
  await drawer.getByRole("button", { name: "One more" }).click();
  await page.waitForFunction(() => document.querySelector(".drawer output").textContent === "2" && document.querySelector(".drawer footer[aria-busy=false]"));
  await fits("cart");

  // What is added while the cart is slow to come joins what is in it.
  const letGo = await hold("Cart");
  await page.reload();
  await heading("Harbour Mug").waitFor();
  await button("Add to cart").click();
  letGo();
  await page.waitForFunction(() => document.querySelector(".drawer output")?.textContent === "3" && document.querySelector(".drawer footer[aria-busy=false]"));
  await drawer.getByRole("link", { name: "Checkout" }).click();

  // Checkout: what is missing, a declined card, one that the bank asks about.
  await heading("Checkout").waitFor();
  await page.getByRole("radio", { name: /Express/ }).waitFor();
  await pay();
  await page.locator("#checkout [role=alert]").first().waitFor();
  assert.equal(await page.getByRole("textbox", { name: "E-mail" }).getAttribute("aria-invalid"), "true");
  await fits("checkout");
  await fillIn();
  await page.getByRole("radio", { name: /Express/ }).check();
  await page.getByRole("radio", { name: "Visa, declined" }).check();
  await pay();
  const declined = page.locator("#method-wrong");
  await declined.waitFor();
  assert.match(await declined.textContent(), /declined/);
  const cards = page.getByRole("radiogroup", { name: "Test cards" });
  assert.equal(await cards.getAttribute("aria-describedby"), "method-wrong");
  assert.equal(await page.getByLabel("Town").inputValue(), "Hamburg", "what was typed is gone");
  say("declined");
  await page.getByRole("radio", { name: "Visa, to be confirmed at the bank" }).check();
  await pay();
  await heading(/^Order /).waitFor();
  const bank = page.getByRole("link", { name: "Confirm at the bank" });
  await bank.waitFor();
  await fits("order to be confirmed");
  const pressed = await fetch(await bank.getAttribute("href"), { method: "POST", body: new URLSearchParams({ decision: "confirm" }), redirect: "manual" });
  assert.ok(pressed.status < 400, `the bank says ${pressed.status}`);
  await page.locator("li[data-status=CONFIRMED]").waitFor(); // by itself
  assert.ok(refused > 1, "the order was not watched again");
  say("confirmed, without touching the page");
  const invoice = page.getByRole("link", { name: "PDF" });
  await invoice.waitFor();
  const file = await context.request.get(new URL(await invoice.getAttribute("href"), url).href);
  assert.equal((await file.body()).subarray(0, 5).toString(), "%PDF-");
  await fits("order");
  const [shipping] = await page.locator(".sums dd").nth(1).allTextContents();
  assert.notEqual(shipping, "Free", "express costs something");
  assert.match(await page.locator(".cart-button").innerText(), /0/);

  // Where the bank leads back to.
  const here = page.url();
  await page.goto(`${url}/order/return`);
  await page.waitForURL(here);
  await heading(/^Order /).waitFor();

  // Without the token it is nobody's.
  await page.goto(`${url}/order/nothing`);
  await page.getByRole("heading", { name: "This order cannot be shown" }).waitFor();

  // Nothing is there, in German, and in the customer's own choice.
  complaints.push(...(await missing()));
  await page.getByLabel("Language").selectOption("de");
  await page.getByRole("heading", { name: "Hier ist nichts" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.getByRole("link", { name: "Alle Waren", exact: true }).click();
  await heading("Alle Waren").waitFor();
  await page.locator(".list .card a").first().waitFor();
  assert.match(await page.locator(".card-price").first().textContent(), /\d,\d\d\s€/);
  await fits("list in German");
}

// missing opens an address that is none: the browser notes its 404, and that is no complaint.
async function missing() {
  const before = complaints.splice(0);
  asked.length = 0;
  const answer = await page.goto(`${url}/nowhere`);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  await page.waitForFunction(() => document.querySelector(".wordmark").textContent.trim());
  assert.equal(asked.filter((name) => name === "Shop").length, 1, `the page asked more than once: ${asked}`);
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("404")));
  return before;
}

// unfetched opens a page whose program does not come: it says so, and comes
// when it can. The browser notes what it did not get.
async function unfetched() {
  const before = complaints.splice(0);
  const program = /\/assets\/account-[^/]*\.js$/;
  await page.route(program, (route) => route.abort());
  await page.goto(`${url}/account`);
  await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
  await page.unroute(program);
  await button("Try again").click();
  await heading("Sign in").waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/ERR_FAILED|dynamically imported/.test(text)));
  return before;
}

async function mailedLink(to, path) {
  for (const end = Date.now() + 2 * most; ; await new Promise((done) => setTimeout(done, 100))) {
    const mails = await (await fetch(`${sandbox}/sandbox/mail/messages`)).json();
    const ids = (mails.messages ?? mails).filter((mail) => JSON.stringify(mail).includes(to)).map(({ id }) => id);
    for (const id of ids) {
      const text = await (await fetch(`${sandbox}/sandbox/mail/messages/${id}/html`)).text();
      const link = new RegExp(`https?://[^"'\\s<]*${path}\\?token=[^"'\\s<]+`).exec(text)?.[0];
      if (link) return link.replaceAll("&amp;", "&");
    }
    if (Date.now() > end) throw new Error(`no mail with ${path} came to ${to}`);
  }
}

async function account() {
  const email = `grace.${Date.now()}@example.com`;
  complaints.push(...(await unfetched()));
  await page.goto(`${url}/account`);
  await heading("Sign in").waitFor(); // a guest is led to the door
  await fits("sign in");
  await page.getByRole("link", { name: "Open an account" }).click();
  await heading("Open an account").waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("First name").fill("Grace");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await press("Open an account", refusal());
  assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("aria-invalid"), "true");
  await fits("registration");
  await page.getByLabel("Password", { exact: true }).fill("a harbour at dawn");
  await press("Open an account", heading("Look into your mailbox"));
  await page.goto(await mailedLink(email, "/account/verify"));
  await heading("Your address is confirmed").waitFor();
  await fits("verified");
  say("registered");

  // What a guest has in the cart is there after signing in.
  await page.goto(`${url}/products/harbour-mug`);
  await addToCart("Harbour Mug");
  await button("Close").click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await heading("Sign in").waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await press("Sign in", refusal());
  await page.getByLabel("Password", { exact: true }).fill("a harbour at dawn");
  await press("Sign in", heading("Hello, Grace"));
  await page.getByRole("button", { name: "Cart 1 item" }).waitFor();
  assert.equal(await page.evaluate(() => Object.values(localStorage).some((value) => value.includes("eyJ"))), false, "a token lies where scripts can read it");
  await page.getByRole("heading", { name: "You have not bought anything yet." }).waitFor();
  await fits("no orders");
  await page.goto(`${url}/account/sign-in?next=/%09/example.com`); // which browsers take for another shop's
  await heading("Hello, Grace").waitFor();
  say("signed in");

  await page.getByRole("link", { name: "Addresses" }).click();
  await button("Add an address").click();
  await page.getByLabel("Last name").fill("Hopper");
  await page.getByLabel("Street and number").fill("Kai 7");
  await page.getByLabel("Postcode").fill("20457");
  await page.getByLabel("Town").fill("Hamburg");
  await fits("address");
  await button("Save").click();
  await page.getByText("Kai 7").first().waitFor();
  await fits("addresses");
  await page.getByRole("link", { name: "Profile" }).click();
  await page.getByLabel("First name").fill("Grace B.");
  await button("Save").first().click();
  await heading("Hello, Grace B.").waitFor();
  await fits("profile");

  // The checkout knows the customer, and the order is among theirs.
  await page.goto(`${url}/checkout`);
  await page.waitForFunction(() => document.querySelector("[name=city]")?.value === "Hamburg");
  assert.equal(await page.getByRole("textbox", { name: "E-mail" }).inputValue(), email);
  await page.getByRole("radio", { name: "Visa, approved" }).check();
  await pay();
  await heading(/^Order /).waitFor();
  await page.goto(`${url}/account`);
  await page.locator(".order-row").click();
  await heading(/^Order /).waitFor();
  assert.equal(new URL(page.url()).hash, "", "an own order needs no token");
  await page.locator("li[data-status=CONFIRMED]").waitFor();

  // Who signs out in one window is signed out in all.
  await page.goto(`${url}/account`);
  const window = await context.newPage();
  window.setDefaultTimeout(most);
  await window.goto(`${url}/account/addresses`);
  await window.getByText("Kai 7").first().waitFor();
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await window.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await window.close();
  await page.goto(`${url}/account/recover`);
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await press("Send the link", heading("Look into your mailbox"));
  await page.goto(await mailedLink(email, "/account/reset"));
  await page.getByLabel("New password", { exact: true }).fill("another harbour");
  await fits("new password");
  await press("Save", heading("The new password is set"));
  say("a new password");
}

try {
  await { guest, account }[story]();
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(error);
  console.error("at", page.url(), "complaints:", complaints, "\nthe page:", await page.locator("main").innerText().catch(() => "none"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
