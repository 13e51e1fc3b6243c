// An order does not get through, and the customer reloads the checkout: it goes
// out under the same key again, though what was typed was kept nowhere.
import assert from "node:assert/strict";
import { eventually, excuse, say, url, visitor } from "../stage.mjs";

export default async function () {
  excuse(/net::ERR_FAILED|Failed to load resource/);
  const guest = await visitor();
  const { page, heading } = guest;
  await guest.addToCart("harbour-mug", "Harbour Mug");

  const keys = new Set();
  let cut = true;
  let lost = 0;
  await page.route("**/graphql", async (route) => {
    const { query, variables } = route.request().postDataJSON();
    if (!/mutation Checkout\b/.test(query)) return route.continue();
    keys.add(variables.input.idempotencyKey);
    if (!cut) return route.continue();
    await route.abort();
    lost++;
  });
  const order = async () => {
    await page.locator("[name=shippingRate]").first().waitFor();
    await guest.fillIn();
    await guest.pay();
  };
  await page.goto(`${url}/checkout`);
  await order();
  await eventually("it is sent again by itself", async () => lost > 1);
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  for (const personal of ["ada@", "Lovelace", "Hafenstr"]) assert.ok(!kept.includes(personal), `${personal} is kept: ${kept}`);
  say("it does not get through");

  cut = false;
  await page.reload();
  await order();
  await heading(/^Order /).waitFor();
  await guest.step("CONFIRMED").waitFor();
  assert.equal(keys.size, 1, "it was sent under another key");
  say("bought");
}
