// What stories in a browser share: the browser, its windows, and what must not
// happen in any of them. On every page: nothing that axe finds, in light and in
// the dark, nothing that leaves the shop's origin, nothing that the browser
// complains of, nothing wider than the screen.
import assert from "node:assert/strict";

export const most = 60_000; // for any one thing to happen, on a slow machine too
const began = Date.now();
export const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${what}`);

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 900 };

/** How a busy shop asks to come back. */
export const comeBack = /That was a lot at once|having a rest|cannot be reached|took too long/;

export const complaints = [];
// On a slow machine: a font that came later than the browser hoped, a socket whose page was left before it was open.
const excused = [/was preloaded using link preload but not used|WebSocket connection to .* failed/];

/** What a story brings about on purpose is no complaint. */
export const excuse = (pattern) => excused.push(pattern);

const pages = [];

/**
 * A browser with what its caller has of Playwright and axe. `leaves` says which
 * requests may go to other origins.
 */
export async function stage({ chromium, axe, executablePath, url, leaves = () => false }) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
    timeout: most,
  });

  /** A device of somebody's own. */
  async function device(options) {
    const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", viewport: desk, acceptDownloads: true, ...options });
    await context.addInitScript(() =>
      document.addEventListener("securitypolicyviolation", (e) => console.error(`violates ${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile} ${e.sample}`)),
    );
    return context;
  }

  /** One more window of a device, and what everybody does there. */
  async function windowOf(context, at = url) {
    const page = await context.newPage();
    page.setDefaultTimeout(most);
    pages.push(page);
    const origin = new URL(at).origin;
    const ours = (address) => new URL(address.replace(/^(ws|blob:)/, (start) => (start === "ws" ? "http" : ""))).origin === origin;
    page.on("request", (r) => ours(r.url()) || leaves(r) || complaints.push(`a request to ${r.url()}`));
    page.on("websocket", (s) => ours(s.url()) || complaints.push(`a WebSocket to ${s.url()}`));
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && !excused.some((pattern) => pattern.test(m.text())) && complaints.push(`${m.type()}: ${m.text()}`));
    page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));

    const button = (name) => page.getByRole("button", { name, exact: true });
    const link = (name) => page.getByRole("link", { name, exact: true });
    const heading = (name) => page.getByRole("heading", { level: 1, name });
    const dialog = page.getByRole("dialog");

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
    return { page, button, link, heading, dialog, fits };
  }

  /** Asks the shop something that must succeed, as a program does, with a token as somebody. */
  async function ask(query, variables, token) {
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

  /** Tells a story, and ends the program with what went wrong. */
  async function tell(story) {
    try {
      await story();
      assert.deepEqual(complaints, []);
    } catch (error) {
      console.error(error);
      console.error("complaints:", complaints);
      for (const page of pages) if (!page.isClosed()) console.error("a page at", page.url(), "\n", await page.locator("body").innerText({ timeout: 1_000 }).catch(() => "none"));
      process.exitCode = 1;
    } finally {
      await browser.close();
    }
  }

  return { browser, device, windowOf, ask, tell };
}

/** Tries until what it is asked for is so. */
export async function eventually(what, is) {
  let cause; // a busy shop refuses now and then
  for (const end = Date.now() + 2 * most; !(await is().catch((error) => void (cause = error))); await new Promise((done) => setTimeout(done, 100)))
    if (Date.now() > end) throw new Error(`it never came to be: ${what}`, { cause });
}
