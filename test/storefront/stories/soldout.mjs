// What is in the cart is bought by others before the checkout: it says plainly
// what, keeps the rest, and the customer can go on.
import assert from "node:assert/strict";
import { buyElsewhere, cartOf, say, url, visitor } from "../stage.mjs";

export default async function () {
  const guest = await visitor();
  const { page, heading, button, fits } = guest;
  await guest.addToCart("last-teapot", "Last-teapot");
  await guest.addToCart("rare-bowl", "Rare-bowl");
  for (const units of ["2", "3"]) {
    await guest.drawer.getByRole("group", { name: "Quantity of Rare-bowl" }).getByRole("button", { name: "One more" }).click();
    await guest.drawer.locator("output").filter({ hasText: units }).waitFor();
  }
  await guest.settled();
  await guest.addToCart("harbour-mug", "Harbour Mug");

  await page.goto(`${url}/checkout`);
  await page.locator("[name=shippingRate]").first().waitFor();
  await guest.fillIn();
  await buyElsewhere((await cartOf("last-teapot", "rare-bowl")).id);
  say("somebody else was faster");
  await guest.pay();
  const told = page.locator(".columns aside").getByText("Something was sold to others in the meantime.");
  await told.waitFor();
  const line = (title) => page.locator(".bought li").filter({ hasText: title });
  await line("Last-teapot").getByText("Sold out").waitFor();
  await line("Rare-bowl").getByText("Only 2 left").waitFor();
  assert.equal(await line("Harbour Mug").getByRole("alert").count(), 0, "what is there is marked, too");
  assert.equal(await page.getByLabel("Town").inputValue(), "Hamburg", "what was typed is gone");
  await fits("sold out");

  // Pressing once more makes no order of it.
  await guest.pay();
  await told.waitFor();

  await button("Take 2").click();
  await line("Rare-bowl").getByText("2 × Rare-bowl").waitFor();
  await button("Remove Last-teapot").click();
  await line("Last-teapot").waitFor({ state: "detached" });
  await page.locator(".sums[aria-busy=false]").waitFor();
  await guest.pay();
  await heading(/^Order /).waitFor();
  await guest.step("CONFIRMED").waitFor();
  const bought = (await page.locator(".bought a").allTextContents()).sort();
  assert.ok(bought.length === 2 && bought[0].startsWith("1 × Harbour Mug") && bought[1].startsWith("2 × Rare-bowl"), String(bought));
  say("went on with the rest");

  // And on its own page.
  await page.goto(`${url}/products/last-teapot`);
  await page.locator(".stock[data-state=none]").waitFor();
  assert.ok(await button("Add to cart").isDisabled());
  await fits("a product that is sold out");
}
