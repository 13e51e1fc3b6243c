// A guest who reads German: the whole purchase, sums and mishaps included.
import assert from "node:assert/strict";
import { most, phone, say, url, visitor } from "../stage.mjs";

export default async function () {
  const guest = await visitor({ locale: "de-DE", viewport: phone });
  const { page, heading, button, fits, drawer } = guest;
  const german = async (what) => {
    const text = await page.locator("body").innerText();
    assert.doesNotMatch(text, /\b(your|the order|please|add to|checkout|delivery|shipping|sold out|sign in)\b/i, `${what} says something in English`);
    await fits(what);
  };
  await page.goto(url);
  await heading("Schlichte Dinge, die bleiben.").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.getByRole("link", { name: "Alle Waren", exact: true }).click();
  await heading("Alle Waren").waitFor();
  await page.locator(".list .card a").first().waitFor();
  assert.match(await page.locator(".card-price").first().textContent(), /\d,\d\d\s€/);
  await fits("list in German");

  await guest.addToCart("harbour-mug", "Harbour Mug");
  await drawer.getByRole("link", { name: "Zur Kasse" }).click();
  await heading("Kasse").waitFor();
  await page.locator("[name=shippingRate]").first().waitFor();
  await german("checkout in German");
  await guest.fillIn();
  await page.locator("[name=email]").fill("ada.example.com");
  await guest.pay();
  await page.getByText("Das ist keine E-Mail-Adresse.").waitFor();
  await page.locator("[name=email]").fill("ada@example.com");
  await guest.card("pm_card_visa_chargeDeclined");
  await guest.pay();
  await page.getByText("Die Bank hat die Karte abgelehnt.").waitFor();
  await german("declined in German");
  await guest.card("pm_card_visa");
  await guest.pay();
  await heading(/^Bestellung /).waitFor();
  await guest.step("CONFIRMED").waitFor();
  await page.getByRole("button", { name: /^PDF/ }).first().waitFor();
  await page.getByText("Deutschland", { exact: true }).locator("visible=true").first().waitFor();
  await page.getByRole("heading", { name: "Nachrichten" }).waitFor();
  say("bought in German");
  await button("Bestellung stornieren").click();
  await german("calling off in German");
  await button("Ja, stornieren").click();
  await guest.step("REFUNDED").waitFor();
  await page.getByText(/^Gutschrift CN-/).waitFor({ timeout: 2 * most });
  await fits("called off in German");

  // The customer's own choice stays, whatever the browser prefers.
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByRole("heading", { name: "Progress" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Progress" }).waitFor();
}
