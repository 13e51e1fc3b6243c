// A purchase without a mouse: all that is reached shows that it is.
import assert from "node:assert/strict";
import { complaints, say, url, visitor } from "../stage.mjs";

export default async function () {
  const guest = await visitor();
  const { page, heading, drawer } = guest;
  const { keyboard } = page;
  const focused = (locator) => locator.evaluate((element) => element === document.activeElement).catch(() => false);

  // tabTo goes on with the tab key until this has the focus, and sees that it shows.
  async function tabTo(locator, what, key = "Tab") {
    for (let n = 0; !(await focused(locator)); n++) {
      if (n > 150) throw new Error(`${what} cannot be reached`);
      await keyboard.press(key);
    }
    const shown = await page.evaluate(() => {
      // Choices that look like buttons show it around what is beside the input.
      const visible = (element) => element && getComputedStyle(element).outlineStyle !== "none";
      return visible(document.activeElement) || visible(document.activeElement.nextElementSibling);
    });
    if (!shown) complaints.push(`${what} has the focus and does not show it`);
  }

  await page.goto(url);
  await page.locator(".cards article").first().waitFor();
  await keyboard.press("Tab");
  assert.ok(await focused(page.locator(".skip")), "the first stop is not the way to the content");
  await keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");

  await tabTo(page.getByRole("combobox", { name: "Search" }), "the search", "Shift+Tab");
  await keyboard.type("harbour mug");
  await page.getByRole("option", { name: /Harbour Mug/ }).first().waitFor();
  await keyboard.press("ArrowDown");
  await page.locator("[role=option][data-highlighted]").waitFor();
  await keyboard.press("Enter");
  await page.waitForURL(/\/products\//);
  const title = await page.locator(".buy h1").textContent();
  say(`found ${title}`);

  await tabTo(page.locator(".buy-row .button-main"), "adding to the cart");
  await keyboard.press("Enter");
  await drawer.waitFor();
  await page.waitForFunction(() => document.querySelector("[role=dialog]").contains(document.activeElement));
  await guest.settled();
  await tabTo(drawer.getByRole("button", { name: "One more" }), "one more");
  await keyboard.press("Enter");
  await drawer.locator("output").filter({ hasText: "2" }).waitFor();
  await guest.settled();
  // The focus stays inside, however often one goes on.
  for (let n = 0; n < 12; n++) {
    await keyboard.press("Tab");
    await page.waitForFunction(() => document.querySelector("[role=dialog]").contains(document.activeElement)); // led back from its edge
  }
  await keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement !== document.body); // given back when the cart closes
  await tabTo(page.locator(".cart-button"), "the cart", "Shift+Tab");
  await keyboard.press("Enter");
  await drawer.waitFor();
  await tabTo(drawer.getByRole("link", { name: "Checkout" }), "the checkout");
  await keyboard.press("Enter");

  await heading("Checkout").waitFor();
  await page.locator("[name=shippingRate]").first().waitFor();
  // Sent empty, it leads to the first field that is wanting.
  await tabTo(page.locator("button[form=checkout]"), "paying");
  await keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.name === "email");
  for (const [name, text] of [["email", "ada@example.com"], ["lastName", "Lovelace"], ["address1", "Hafenstrasse 1"], ["zip", "20359"], ["city", "Hamburg"]]) {
    await tabTo(page.locator(`[name=${name}]`), name);
    await keyboard.type(text);
  }
  await tabTo(page.locator("[name=shippingRate]:checked"), "the ways to send it");
  await keyboard.press("ArrowDown");
  await page.locator("[name=shippingRate][value=express]:checked").waitFor();
  await tabTo(page.locator("[name=method]:checked"), "the cards");
  await keyboard.press("ArrowDown");
  await page.locator("[name=method][value=pm_card_mastercard]:checked").waitFor();
  await page.locator(".sums[aria-busy=false]").waitFor();
  await tabTo(page.locator("button[form=checkout]"), "paying");
  await keyboard.press("Enter");
  await heading(/^Order /).waitFor();
  await guest.step("CONFIRMED").waitFor();
  await page.getByText("Mastercard ending in").waitFor();
  await tabTo(page.getByRole("button", { name: "Call the order off" }), "calling off");
  say("bought without a mouse");
}
