// A visit to the sandbox's page: what it shows, what it does when something
// arrives, and that everybody can use it.
//
//   node page.mjs URL BROWSER ACCOUNT TOKEN
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [url, executablePath, account, token] = process.argv.slice(2);
const most = 60_000; // for any one thing to happen, on a slow machine too
const began = Date.now();
const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${what}`);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// text sends a message by Twilio's API and returns its answer.
const text = async (to, body) => {
  const answer = await fetch(`${url}/2010-04-01/Accounts/${account}/Messages.json`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${account}:${token}`).toString("base64")}` },
    body: new URLSearchParams({ To: to, From: "+15005550006", Body: body }),
  });
  return answer.json();
};

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  timeout: most,
});
const complaints = [];
const visit = async (width, height, colorScheme) => {
  const page = await (await browser.newContext({ viewport: { width, height }, colorScheme })).newPage();
  page.setDefaultTimeout(most);
  page.on("request", (r) => r.url().startsWith(url) || complaints.push(`a request to ${r.url()}`));
  page.on("pageerror", (e) => complaints.push(`uncaught: ${e.stack}`));
  page.on("console", (m) => {
    // The letter's script is kept from running: that is what its frame is for.
    if (m.type() === "error" && !/Blocked script execution/.test(m.text())) complaints.push(m.text());
  });
  await page.goto(`${url}/sandbox`);
  return page;
};
// accessible asks axe, past the page's policy, which lets nothing else in.
const accessible = async (page, what) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result } = await session.send("Runtime.evaluate", {
    expression: "axe.run(document, { iframes: false }).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.nodes.map((n) => n.failureSummary)])))",
    awaitPromise: true, returnByValue: true,
  });
  assert.equal(result.value, "[]", what);
};

assert.equal((await text("+491701234567", "Order 1001 is confirmed: http://127.0.0.1/orders/1001.")).status, "queued");
assert.equal((await text("+15005553006", "Order 1002 is confirmed.")).status, "queued");

const page = await visit(1280, 860, "light");
const phone = page.getByRole("region", { name: "Phone" });
const mailbox = page.getByRole("region", { name: "Mailbox" });

// The latest mail is open, and can do nothing.
await mailbox.getByRole("heading", { name: "Your order 1001 is confirmed" }).waitFor();
await page.frameLocator("#html").getByText("Thank you, Ada!").waitFor();
const pdf = mailbox.getByRole("link", { name: /^2026-000001\.pdf/ });
assert.equal(await pdf.getAttribute("target"), "_blank");
assert.match(await pdf.getAttribute("href"), /attachments\/0\?show=1$/);
assert.notEqual(await mailbox.getByRole("link", { name: /^2026-000001\.xml/ }).getAttribute("download"), null);
say("the mail is there");

// The phone shows one conversation at a time, found by its number.
await phone.getByRole("button", { name: "All messages" }).click();
await phone.getByRole("button", { name: /\+1 500 555 3006/ }).click();
await phone.getByText("Not delivered (30006)").waitFor();
await phone.getByRole("button", { name: "All messages" }).click();
await phone.getByRole("button", { name: /\+49 170 1234567/ }).press("Enter");
await phone.getByText("Delivered", { exact: true }).waitFor();
assert.equal(await phone.getByRole("link").getAttribute("href"), "http://127.0.0.1/orders/1001");

// What arrives is shown, and said, without being asked for.
await text("+491701234567", "Order 1001 is on its way.");
await phone.getByRole("listitem").filter({ hasText: "on its way" }).waitFor();
await page.locator("#news", { hasText: "Order 1001 is on its way." }).waitFor();
await text("+919876543210", "Another phone");
await phone.getByRole("button", { name: "All messages 1 new" }).waitFor();
await accessible(page, "with something new");
say("messages come by themselves");

// The phone answers, by keyboard, and is left alone.
await phone.getByRole("textbox", { name: "Reply" }).focus();
await page.keyboard.type("stop");
await page.keyboard.press("Enter");
await phone.getByRole("listitem").filter({ hasText: "You will get no more messages" }).last().waitFor();
assert.equal((await text("+491701234567", "One more")).code, 21610);
say("STOP is heeded");

// The filter leaves one customer.
await page.getByRole("searchbox").fill("grace@");
await mailbox.getByText("No mail yet.").waitFor();
await page.getByRole("searchbox").fill("");

for (const [width, height] of [[1280, 860], [390, 800]]) {
  for (const scheme of ["light", "dark"]) {
    const p = await visit(width, height, scheme);
    await p.locator(width < 900 ? "#threads li" : "#thread li").first().waitFor();
    await accessible(p, `${width} ${scheme}`);
    if (width < 900) {
      await p.getByRole("button", { name: /^Mail/ }).click();
      await p.locator("#mails button").first().click();
      await p.getByRole("heading", { name: "Your order 1001 is confirmed" }).waitFor();
      await accessible(p, `${width} ${scheme}, a mail`);
      assert.equal(await p.evaluate(() => document.documentElement.scrollWidth), width, "nothing is wider than the screen");
    }
    await p.context().close();
  }
}
say("everybody can use it");
await browser.close();
assert.deepEqual(complaints, []);
