// The board moves when an order is placed.
import assert from "node:assert/strict";
import { buy, eventually, phone, say, visitor } from "../stage.mjs";

export default async function () {
  const { page, fits, signIn } = await visitor();
  await signIn("merchant");
  const total = async (name) => Number((await page.locator(".totals div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd").innerText()).replaceAll(",", ""));
  await page.locator(".totals").waitFor();
  const [placed, confirmed, failed] = [await total("Placed"), await total("Confirmed"), await total("Failed")];
  await buy();
  await buy({ card: "pm_card_visa_chargeDeclined" });
  await eventually("the totals move", async () => (await total("Placed")) === placed + 2 && (await total("Confirmed")) === confirmed + 1 && (await total("Failed")) === failed + 1);
  say("it moved, without touching the page");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByText("Card declined").waitFor();
  await fits("the board");

  // The same in words, by the keyboard and as a table.
  const chart = page.getByRole("slider", { name: "Orders per minute, by time" });
  await page.mouse.move(1, 1); // not over a chart, whose values it would show
  await chart.focus();
  await page.keyboard.press("Home");
  assert.match(await chart.getAttribute("aria-valuetext"), /^\d\d:\d\d: Placed \d+, Confirmed \d+, Failed \d+$/);
  await page.keyboard.press("ArrowRight");
  assert.equal(await chart.getAttribute("aria-valuenow"), "1");
  await page.locator("summary").filter({ hasText: "As a table" }).first().click();
  const table = page.getByRole("region", { name: "Orders per minute, as a table" });
  const sum = async (column) => (await table.locator(`tbody td:nth-of-type(${column})`).allInnerTexts()).reduce((all, n) => all + Number(n), 0);
  await eventually("the table adds up to the total", async () => (await sum(1)) === (await total("Placed")));
  await fits("the board as a table");

  // A longer window, which the address keeps.
  await page.getByRole("radio", { name: "24 hours" }).check();
  await page.getByRole("slider", { name: "Orders per 15 minutes, by time" }).waitFor();
  await page.reload();
  await page.getByRole("slider", { name: "Orders per 15 minutes, by time" }).waitFor();
  assert.equal(await page.getByRole("radio", { name: "24 hours" }).isChecked(), true);
  await fits("a day on the board");

  const small = await visitor(phone);
  await small.signIn("merchant", "?window=15m");
  await small.page.locator(".chart-plot svg text").first().waitFor();
  await small.fits("the board on a phone");
}
