// What a customer's browser makes of the storefront's pages: how soon the largest
// thing is painted, how much jumps, how long it does not listen, what it fetches.
// Every visit is the first one of a browser that has nothing yet.
//
//   node bench.mjs URL BROWSER ROUNDS
//
// It fails when the first page's scripts are over their limit, and when a
// request leaves the shop's origin.
import { chromium } from "playwright-core";

const [url, executablePath, rounds] = process.argv.slice(2);
const most = 60_000;
const limits = { paint: 2_500, shift: 0.1, script: 150 }; // milliseconds, a number without unit, KB

// Slow 4G as Lighthouse has it: a round trip of 150 ms, 1.6 Mbit/s down and 0.75 up.
const slow = { offline: false, latency: 150, downloadThroughput: (1.6e6 / 8) * 0.9, uploadThroughput: (0.75e6 / 8) * 0.9 };
const ways = [
  { name: "as it is", network: null, processor: 1 },
  { name: "slow 4G, CPU ÷ 4", network: slow, processor: 4 },
];
// Their addresses, and what is there when all is.
const pages = {
  home: ["/", ".cards article"],
  search: ["/search?q=lamp", ".list .card a"],
  product: ["/products/harbour-mug", ".buy-row"],
  checkout: ["/checkout", "[name=shippingRate]"],
};

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  timeout: most,
});
const elsewhere = new Set();

// Runs in the page, before anything else does.
function observe() {
  const seen = (globalThis.seen = { paint: 0, shift: 0, blocked: 0 });
  let burst = { sum: 0, first: 0, last: 0 };
  const on = (type, hear) => new PerformanceObserver((list) => list.getEntries().forEach(hear)).observe({ type, buffered: true });
  on("largest-contentful-paint", ({ startTime }) => (seen.paint = startTime));
  // Shifts count by bursts: less than a second apart, five seconds at most. The worst one stands.
  on("layout-shift", ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    const goesOn = startTime - burst.last < 1_000 && startTime - burst.first < 5_000;
    burst = goesOn ? { sum: burst.sum + value, first: burst.first, last: startTime } : { sum: value, first: startTime, last: startTime };
    seen.shift = Math.max(seen.shift, burst.sum);
  });
  // What is over 50 ms of every task is time in which a press goes unheard.
  on("longtask", ({ duration }) => (seen.blocked += duration - 50));
}

// visit opens a page in a browser that was never here.
async function visit([path, whole], way, cart) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 844 } });
  if (cart) await context.addInitScript((cart) => localStorage.setItem("shop.cart", cart), cart);
  await context.addInitScript(observe);
  const page = await context.newPage();
  page.setDefaultTimeout(most);
  page.on("request", (r) => new URL(r.url()).origin === new URL(url).origin || elsewhere.add(r.url()));
  const devtools = await context.newCDPSession(page);
  if (way.network) await devtools.send("Network.emulateNetworkConditions", way.network);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: way.processor });
  await page.goto(url + path);
  await page.locator(whole).first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => globalThis.seen.paint > 0 && performance.now() - globalThis.seen.paint > 2_000);
  const measured = await page.evaluate(() => {
    const { paint, shift, blocked } = globalThis.seen;
    // Other pages' programs are fetched later, when nothing waits for anything.
    const loaded = Math.max(paint, performance.getEntriesByType("navigation")[0].loadEventEnd);
    const fetched = performance.getEntriesByType("resource").filter(({ startTime }) => startTime <= loaded);
    const script = fetched.filter(({ name }) => new URL(name).pathname.endsWith(".js")).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1_024;
    return { paint, shift, blocked, script, requests: fetched.length + 1 };
  });
  await context.close();
  return measured;
}

const ask = async (query, variables) =>
  (await (await fetch(`${url}/graphql`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query, variables }) })).json()).data;

async function newCart() {
  const { product } = await ask('{ product(handle: "harbour-mug") { variants(first: 1) { nodes { id } } } }');
  const lines = [{ merchandiseId: product.variants.nodes[0].id, quantity: 1 }];
  return (await ask("mutation ($lines: [CartLineInput!]) { cartCreate(input: { lines: $lines }) { cart { id } } }", { lines })).cartCreate.cart.id;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const spread = (values, digits = 0) => `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);

console.log(`Chromium ${browser.version()}; ${rounds} first visits each on a screen of 390 × 844: median (least–most). × is the part of the limit: ${limits.paint / 1_000} s, ${limits.shift}, ${limits.script} KB.\n`);
row("page", "network", "largest paint, ms", "×", "layout shift", "×", "blocked, ms", "scripts as sent, KB", "×", "requests");
row("---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:");
let heavy = false;
for (const way of ways) {
  for (const [name, page] of Object.entries(pages)) {
    const visits = [];
    for (let n = 0; n < Number(rounds); n++) visits.push(await visit(page, way, name === "checkout" ? await newCart() : undefined));
    const of = (what) => visits.map((visit) => visit[what]);
    const script = Math.max(...of("script"));
    const part = (what) => (median(of(what)) / limits[what]).toFixed(2);
    heavy ||= script > limits.script;
    row(name, way.name, spread(of("paint")), part("paint"), spread(of("shift"), 3), part("shift"), spread(of("blocked")), script.toFixed(0), (script / limits.script).toFixed(2), spread(of("requests")));
  }
}
await browser.close();
console.log(`\nRequests that left the origin: ${elsewhere.size === 0 ? "none" : [...elsewhere].join(" ")}`);
if (heavy) console.error(`A page has more than ${limits.script} KB of scripts.`);
process.exitCode = heavy || elsewhere.size > 0 ? 1 : 0;
