// The list of orders: what is in it, what moves in it, and what comes to it.
import assert from "node:assert/strict";
import { buy, eventually, fulfil, say, tokenOf, visitor } from "../stage.mjs";

export default async function () {
  const grace = await buy({ email: "grace@example.com", quantities: { "harbour-mug": 2 } });
  const failed = await buy({ card: "pm_card_visa_chargeDeclined" });
  assert.equal(failed.status, "FAILED");
  for (let i = 0; i < 25; i++) await buy();
  say("27 orders were made");

  const { page, button, link, heading, rows, fits, signIn } = await visitor();
  await signIn("support", "/orders");
  await rows.nth(24).waitFor();
  assert.equal(await rows.count(), 25);
  await fits("the list");

  // Pages, which reloading and going back keep.
  const newest = await rows.first().getByRole("link").innerText();
  await link("Next").click();
  await page.getByText("Page 2").waitFor();
  await rows.filter({ hasText: grace.number }).waitFor();
  await page.reload();
  await rows.filter({ hasText: grace.number }).waitFor();
  await page.goBack();
  await rows.filter({ hasText: newest }).waitFor();
  await page.goForward();
  await rows.filter({ hasText: grace.number }).waitFor();
  await link("Previous").click();
  await rows.filter({ hasText: newest }).waitFor();

  // Filters, which stand in the address.
  const chosen = (name) => page.getByRole("checkbox", { name, exact: true });
  const only = (number) => eventually(`only ${number}`, async () => (await rows.count()) === 1 && (await rows.first().innerText()).includes(number));
  await chosen("Failed").check({ force: true }); // what is drawn lies over it
  await only(failed.number);
  assert.equal(new URL(page.url()).search, "?state=FAILED");
  await chosen("Confirmed").check({ force: true });
  await rows.nth(24).waitFor();
  await page.goBack();
  await only(failed.number);
  assert.equal(await chosen("Confirmed").isChecked(), false);
  await page.reload();
  await only(failed.number);
  assert.equal(await chosen("Failed").isChecked(), true);
  await fits("filtered");
  await chosen("Failed").uncheck({ force: true });
  await rows.nth(24).waitFor();
  await page.getByLabel("E-mail").fill("Grace@example.com");
  await button("Find").click();
  await only(grace.number);
  await link(grace.number).click();
  await heading(`Order ${grace.number}`).waitFor();
  await page.goBack();
  await only(grace.number);
  assert.equal(await page.getByLabel("E-mail").inputValue(), "Grace@example.com");
  await button("Clear").click();
  await rows.nth(24).waitFor();
  await page.getByLabel("before").fill("2020-01-01");
  await button("Find").click();
  await page.getByText("No orders like that.").waitFor();
  await fits("nothing");
  await button("Clear").click();
  await page.getByLabel("Number").fill(grace.number.toLowerCase().replace("-", ""));
  await page.getByLabel("Number").press("Enter");
  await only(grace.number);
  say("filters");

  // It moves, without the page being touched.
  const row = rows.filter({ hasText: grace.number });
  await row.filter({ hasText: "Confirmed" }).waitFor();
  const warehouse = await tokenOf("warehouse");
  await fulfil(warehouse, grace.id, "Pick");
  await row.filter({ hasText: "Packing" }).waitFor();
  await fulfil(warehouse, grace.id, "Pack", "Ship");
  await row.filter({ hasText: /Shipped|Delivered/ }).waitFor();
  say("it moved");

  // What is newer is offered, and stays out of the way until it is asked for.
  await button("Clear").click();
  await rows.nth(24).waitFor();
  const above = await rows.first().getByRole("link").innerText();
  const newer = await buy();
  await button("1 newer order").waitFor();
  assert.equal(await rows.first().getByRole("link").innerText(), above);
  await button("1 newer order").click();
  await rows.filter({ hasText: newer.number }).waitFor();
  assert.equal(await rows.first().getByRole("link").innerText(), newer.number);
}
