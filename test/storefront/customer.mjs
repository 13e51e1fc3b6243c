// Tells one story of stories/ in a browser.
//
//   node customer.mjs URL SANDBOX CONTROL BROWSER STORY
import assert from "node:assert/strict";
import { browser, complaints, pages, story } from "./stage.mjs";

try {
  await (await import(`./stories/${story}.mjs`)).default();
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(error);
  console.error("complaints:", complaints);
  for (const page of pages) if (!page.isClosed()) console.error("a page at", page.url(), "\n", await page.locator("main").innerText({ timeout: 1_000 }).catch(() => "none"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
