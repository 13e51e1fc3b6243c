// A newcomer's first visit to the playground: the story from the first tab to
// the last, over the transport named, with an eye on what the page loads and
// complains about.
//
//   node story.mjs URL BROWSER websocket|sse
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [url, executablePath, transport] = process.argv.slice(2);
const most = 60_000; // for any one thing to happen, on a slow machine too
const began = Date.now();
const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${what}`);

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  timeout: most,
});
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(most);

// What must not happen.
const complaints = [];
const sockets = [];
const origin = new URL(url).origin;
const allowed = (address) => /^(data|blob):/.test(address) || new URL(address.replace(/^ws/, "http")).origin === origin;
page.on("request", (r) => allowed(r.url()) || complaints.push(`a request to ${r.url()}`));
page.on("websocket", (s) => (sockets.push(s.url()), allowed(s.url()) || complaints.push(`a WebSocket to ${s.url()}`)));
page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`${m.type()}: ${m.text()}`));
page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));
await page.addInitScript(() =>
  document.addEventListener("securitypolicyviolation", (e) => console.error(`violates ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile} ${e.sample}`)),
);

const tab = (name) => page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) });
const names = () => page.locator(".graphiql-tab-button").allTextContents();
const answer = () =>
  page.evaluate(() => {
    const model = globalThis.__MONACO?.editor.getModels().find((m) => m.uri.path.endsWith("response.json"));
    return model?.getValue() ?? "";
  });

// until waits for an answer that passes, and returns it.
async function until(what, passes) {
  for (const end = Date.now() + most; ; ) {
    const text = await answer();
    try {
      const now = JSON.parse(text);
      if (passes(now)) return now;
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
    if (Date.now() > end) throw new Error(`${what}: still ${text}`);
    await page.waitForTimeout(50);
  }
}

const focusEditor = () => page.locator(".graphiql-query-editor .view-lines").click({ position: { x: 5, y: 5 } });

async function run(name, passes) {
  await tab(name).click();
  await focusEditor();
  await page.evaluate(() => globalThis.__MONACO.editor.getModels().find((m) => m.uri.path.endsWith("response.json")).setValue(""));
  await page.keyboard.press("Control+Enter");
  const now = await until(name, passes);
  say(`${name}: ${JSON.stringify(now).slice(0, 160)}`);
  return now;
}

async function open() {
  await page.goto(`${url}/playground`);
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  await page.getByRole("heading", { name: "GraphQL playground" }).waitFor();
}

const done = (field) => (now) => now.errors !== undefined || now.data[field] != null;

async function story() {
  await open();
  assert.deepEqual(await names(), ["Search", "Cart", "Checkout", "WatchOrder", "WatchMessages", "Cancel", "AskTheBank"]);

  if (transport === "sse") await page.getByText("SSE", { exact: true }).click();
  await page.reload(); // the choice is remembered
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  assert.equal(await page.getByRole("radio", { name: "SSE" }).isChecked(), transport === "sse");

  const early = await run("WatchOrder", (now) => now.errors);
  assert.match(early.errors[0].message, /Run the tab Checkout first/);

  const found = await run("Search", done("products"));
  assert.ok(found.data.products.nodes.length > 0);
  const filled = await run("Cart", done("cartCreate"));
  assert.equal(filled.data.cartCreate.cart.totalQuantity, 2);

  const bought = (await run("Checkout", done("checkout"))).data.checkout;
  assert.deepEqual(bought.userErrors, []);
  assert.equal(bought.order.timeline.at(-1).status, "CONFIRMED");
  const again = (await run("Checkout", done("checkout"))).data.checkout;
  assert.equal(again.order.id, bought.order.id, "the same key made another order");

  const watched = (await run("WatchOrder", done("orderStatus"))).data.orderStatus;
  assert.equal(watched.number, bought.order.number);
  assert.ok(watched.timeline.some(({ status }) => status === "CONFIRMED"));
  await page.locator("output[data-connection=connected]").waitFor();
  await focusEditor();
  await page.keyboard.press("Control+Enter"); // stops it
  await page.locator("output[data-connection=idle]").waitFor();

  const cancelled = (await run("Cancel", done("orderCancel"))).data.orderCancel;
  if (cancelled.userErrors.length > 0) assert.equal(cancelled.userErrors[0].code, "TOO_LATE");
  else assert.match(cancelled.order.status, /^(CANCELLED|REFUNDED)$/);

  const spent = await run("AskTheBank", (now) => now.errors);
  assert.match(spent.errors[0].message, /Run the tab Cart first/);
  await run("Cart", done("cartCreate"));
  const asked = (await run("AskTheBank", done("checkout"))).data.checkout.order;
  assert.equal(asked.status, "PAYING");
  await run("WatchOrder", (now) => now.data.orderStatus.status === "PAYING");
  const pressed = await fetch(asked.payment.actionUrl, { method: "POST", body: new URLSearchParams({ decision: "confirm" }), redirect: "manual" });
  assert.ok(pressed.status < 400, `the bank says ${pressed.status}`);
  const live = await until("the confirmed order", (now) => now.data.orderStatus.timeline.some(({ status }) => status === "CONFIRMED"));
  assert.ok(live.data.orderStatus.version > asked.version);
  say(`confirmed at the bank: ${live.data.orderStatus.status}`);

  const overSocket = sockets.some((s) => new URL(s).pathname === "/graphql");
  assert.equal(overSocket, transport === "websocket", `WebSockets: ${sockets}`);
}

// A person's own tab outlasts a reload and the story's restart.
async function ownTab() {
  await page.getByRole("button", { name: "New tab" }).click();
  await focusEditor();
  await page.keyboard.insertText("query Mine { shop { name } }"); // in one piece: key by key, completions get in between
  await tab("Mine").waitFor();
  await run("Mine", (now) => now.data.shop.name);
  await page.waitForFunction(() => localStorage.getItem("graphiql:tabState")?.includes("query Mine { shop { name } }"));
  await page.reload();
  await tab("Mine").waitFor();
  await page.getByRole("button", { name: "Restart the story" }).click();
  await tab("Mine").waitFor();
  assert.deepEqual(await names(), ["Search", "Cart", "Checkout", "WatchOrder", "WatchMessages", "Cancel", "AskTheBank", "Mine"]);
  const forgotten = await run("Cart", (now) => now.errors);
  assert.match(forgotten.errors[0].message, /Run the tab Search first/);
  say("own tabs stay");
}

async function documentation() {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: '{ __type(name: "Mutation") { description fields { name description } } }' }),
  });
  const { description, fields } = (await response.json()).data.__type;
  const words = (text) => text.replaceAll("`", "").replaceAll(/\s+/g, " ").trim();
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const explorer = page.locator(".graphiql-plugin");
  await explorer.getByText("Mutation", { exact: true }).click();
  const shows = async (text) =>
    page.waitForFunction((text) => document.querySelector(".graphiql-plugin")?.textContent.replaceAll(/\s+/g, " ").includes(text), words(text));
  await shows(description);
  await explorer.getByText("checkout", { exact: true }).click();
  await shows(fields.find(({ name }) => name === "checkout").description.split("\n\n")[0]);
  say("the schema is documented");
  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await explorer.getByText("cartLinesRemove").waitFor(); // the open tab is a mutation
  say("the explorer lists the fields");
}

try {
  await story();
  await ownTab();
  await documentation();
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(error);
  console.error("complaints:", complaints, "\nlast answer:", await answer().catch(() => "none"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
