// A link that brings a cart along, what was typed before an address came, and a
// browser that keeps nothing.
import assert from "node:assert/strict";
import { cartOf, say, url, visitor } from "../stage.mjs";

export default async function () {
  // Who has nothing gets the cart of the link, whose secret leaves the address.
  const guest = await visitor();
  const { page, button, fits } = guest;
  const bought = () => page.locator(".bought li").allTextContents();
  const inOrder = async (...titles) => {
    await page.waitForFunction((titles) => {
      const lines = [...document.querySelectorAll(".bought li")].map((line) => line.textContent);
      return lines.length === titles.length && titles.every((title) => lines.some((line) => line.includes(title)));
    }, titles);
    assert.equal((await bought()).length, titles.length);
  };
  await page.goto((await cartOf("harbour-mug")).checkoutUrl);
  await inOrder("Harbour Mug");
  assert.equal(new URL(page.url()).search, "", "the cart's secret stays in the address");
  await page.reload();
  await inOrder("Harbour Mug");

  // Who has something is asked.
  const other = await cartOf("rare-bowl");
  const offered = page.getByRole("region", { name: "Another cart came with the link" });
  await page.goto(other.checkoutUrl);
  await offered.waitFor();
  await inOrder("Harbour Mug");
  await page.reload();
  await offered.waitFor(); // still
  await fits("another cart");
  await button("Only my own").click();
  await offered.waitFor({ state: "detached" });
  await inOrder("Harbour Mug");
  await page.reload();
  await inOrder("Harbour Mug");
  assert.equal(await offered.count(), 0, "asked again");
  await page.goto(other.checkoutUrl);
  await button("Both together").click();
  await inOrder("Harbour Mug", "Rare-bowl");
  await page.goto((await cartOf("fine-cup")).checkoutUrl);
  await button("Only what came with the link").click();
  await inOrder("Fine-cup");
  await page.goto(`${url}/checkout?cart=nothing`);
  await inOrder("Fine-cup"); // a link to nothing takes nothing away
  say("asked before one cart took the place of another");

  // What is typed while the country comes from elsewhere stays.
  await page.locator("[name=city]").fill("Wien");
  await page.locator("footer.footer select").last().selectOption("AT");
  await page.waitForFunction(() => document.querySelector("[name=countryCode]").value === "AT");
  assert.equal(await page.locator("[name=city]").inputValue(), "Wien", "what was typed is gone");
  await page.locator("[name=shippingRate]").first().waitFor();

  // A browser that keeps nothing and says so loudly.
  const secret = await visitor();
  await secret.context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(globalThis, name, {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      });
  });
  await secret.addToCart("harbour-mug", "Harbour Mug");
  await secret.drawer.getByRole("link", { name: "Checkout" }).click();
  await secret.page.locator("[name=shippingRate]").first().waitFor();
  await secret.fillIn();
  await secret.pay();
  await secret.heading(/^Order /).waitFor();
  await secret.step("CONFIRMED").waitFor();
  await secret.page.getByLabel("Language").selectOption("de");
  await secret.heading(/^Bestellung /).waitFor();
  say("bought where nothing is kept");
}
