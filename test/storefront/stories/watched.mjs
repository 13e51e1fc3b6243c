// A purchase from the search to the door, while somebody else watches the order
// by the guest's link on a device of their own.
import assert from "node:assert/strict";
import { phone, say, url, visitor } from "../stage.mjs";

export default async function () {
  const guest = await visitor();
  const { page, button, heading, drawer, fits } = guest;
  await page.goto(url);
  const field = page.getByRole("combobox", { name: "Search" });
  await field.fill("jumper");
  await page.getByRole("option").first().waitFor();
  await field.press("Enter");
  await heading("“jumper”").waitFor();
  await page.locator(".list .card").filter({ hasNotText: "Sold out" }).getByRole("link").first().click();
  await page.locator(".option").first().waitFor();
  const title = await page.locator("h1").textContent();

  // Another size, which stands in the address.
  const size = page.locator(".pill:not([data-out]) input:not(:checked)").last();
  const value = await size.getAttribute("value");
  await size.check({ force: true });
  await page.waitForFunction((value) => new URLSearchParams(location.search.slice(1)).toString().includes(encodeURIComponent(value)), value);
  await page.reload();
  await page.locator(`.pill input[value="${value}"]:checked`).waitFor({ state: "attached" });
  await fits("product with options");
  await button("Add to cart").click();
  await drawer.getByRole("link", { name: title, exact: true }).waitFor();
  await guest.settled();
  await drawer.getByText(value).waitFor();
  await drawer.getByRole("link", { name: "Checkout" }).click();

  // A code that takes something off, and one that there is not.
  await page.getByLabel("Discount code").fill("NOSUCH");
  await button("Apply").click();
  await page.locator(".columns aside .wrong").first().waitFor();
  await fits("a wrong code");
  await page.getByRole("button", { name: "Remove the code NOSUCH" }).click();
  await page.getByLabel("Discount code").fill("WELCOME10");
  await page.getByText("NOSUCH").waitFor({ state: "detached" });
  await button("Apply").click();
  await page.getByRole("button", { name: "Remove the code WELCOME10" }).waitFor();
  assert.equal(await page.locator(".columns aside .plain-list .wrong").count(), 0, "the code takes nothing off");

  await guest.fillIn();
  await page.getByLabel(/^Phone/).fill("+491701234567");
  await guest.card("pm_card_authenticationRequired");
  const total = await page.locator(".columns aside .total dd").textContent();
  await guest.pay();
  await heading(/^Order /).waitFor();
  assert.equal(await page.locator(".columns aside .total dd").textContent(), total, "the order costs something else than the checkout said");

  const friend = await visitor({ viewport: phone });
  await friend.page.goto(page.url());
  await friend.step("PAYING").waitFor();
  const loads = [];
  for (const window of [page, friend.page]) window.on("framenavigated", () => loads.push(window.url()));
  await guest.confirm();
  for (const { step } of [guest, friend]) for (const status of ["CONFIRMED", "FULFILLING", "SHIPPED", "DELIVERED"]) await step(status).waitFor();
  assert.deepEqual(loads, [], "a page was loaded once more");
  say("both saw it delivered");

  await friend.page.locator("[data-parcel=DELIVERED]").waitFor();
  assert.match(await friend.page.locator("[data-parcel] a").getAttribute("href"), /^http/);
  await friend.page.getByText(/^On its way Text/).first().waitFor();
  await friend.page.getByText(/^Delivered E-mail/).first().waitFor();
  await friend.page.locator(".plain-list li").filter({ hasText: "Order confirmed Text" }).getByText("arrived").waitFor();
  await friend.page.getByText(/You saved/).waitFor();
  const xml = await friend.download(friend.page.getByRole("button", { name: /^E-invoice/ }));
  assert.match(xml.name, /\.xml$/);
  assert.match(xml.text, /<\?xml/);
  await fits("delivered");
  await friend.fits("delivered, on a phone");
}
