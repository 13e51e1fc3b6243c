// What a warehouse does with one order, on a phone: picks it, finds less than
// was sold, ships that, and has the rest go a way of its own.
import assert from "node:assert/strict";
import { ask, buy, eventually, phone, say, tokenOf, visitor } from "../stage.mjs";

export default async function () {
  // All of it lies in one warehouse, and so goes in one parcel.
  const token = await tokenOf("warehouse");
  for (const handle of ["harbour-mug", "harbour-desk-tray"]) {
    const { product } = await ask("query ($handle: String!) { product(handle: $handle) { variants(first: 1) { nodes { sku } } } }", { handle });
    const { stockAdjust } = await ask("mutation ($input: StockAdjustInput!) { stockAdjust(input: $input) { userErrors { message } } }", { input: { sku: product.variants.nodes[0].sku, delta: 100, idempotencyKey: crypto.randomUUID() } }, token);
    assert.deepEqual(stockAdjust.userErrors, []);
  }
  const order = await buy({ quantities: { "harbour-mug": 3, "harbour-desk-tray": 1 } });
  const { page, button, link, heading, dialog, fits, signIn } = await visitor(phone);
  const { page: desk, fits: fitsDesk, signIn: signInDesk, button: buttonAtDesk } = await visitor();

  // The list, by itself: the order is there once it is confirmed.
  await signIn("warehouse", "/picking");
  const card = page.locator(".parcel-card").filter({ hasText: order.number });
  await card.waitFor();
  await fits("the list to pick from");
  await page.locator("summary").filter({ hasText: "To fetch" }).click();
  await fits("what to fetch");

  // Printed, it has a box for everything, and nothing else of the page.
  await page.emulateMedia({ media: "print" });
  const sheet = page.locator(".sheet");
  await sheet.waitFor();
  assert.match(await sheet.innerText(), new RegExp(`☐ ${order.number}[^]*☐ 3 × Harbour Mug`));
  assert.equal(await card.isVisible(), false);
  await page.emulateMedia({ media: "screen" });

  // Two want it: one has it, and the other is told.
  const title = heading(`Parcel ${order.number}`);
  await card.getByRole("link", { name: order.number }).click();
  await title.waitFor();
  await fits("a parcel to pick");
  await button("Pick it").click();
  await button("Pack all 4").waitFor();
  await signInDesk("admin", `/picking?state=PICKING`);
  await desk.locator(".parcel-card").filter({ hasText: order.number }).getByRole("link").click();
  await buttonAtDesk("Pack all 4").click();
  await desk.getByRole("alert").filter({ hasText: "Somebody else has this consignment in hand." }).waitFor();
  await fitsDesk("taken by somebody else");

  // One mug is not there.
  await button("One less of Harbour Mug").click();
  assert.equal(await page.getByRole("status", { name: "Harbour Mug, found" }).innerText(), "2 of 3");
  await fits("counting");
  await button("Pack 3, 1 missing").click();
  await page.getByText("Not all of it was found.").waitFor();
  await fits("packed short");
  await page.reload();
  await button("Ship it short").click();
  await dialog.getByText("1 × Harbour Mug").waitFor();
  await fits("short only after a question");
  await dialog.getByRole("button", { name: "Ship it short" }).click();
  say("shipped short");

  // The carrier of the sandbox moves it along, and the desk sees it without a touch.
  await desk.getByText("On the way", { exact: true }).or(desk.getByText("Delivered", { exact: true })).first().waitFor();
  await page.getByText("Delivered", { exact: true }).first().waitFor();
  await fits("delivered");
  await button("It came back").click();
  await fits("came back");

  // What was missing is a parcel of its own, with a carrier that people have booked.
  await link("Back to the list").click();
  await card.getByText("1 × Harbour Mug").waitFor();
  await card.getByRole("button", { name: "Pick it" }).click();
  await button("Pack all 1").click();
  await button("Handed over by hand").click();
  const ship = dialog.getByRole("button", { name: "Shipped", exact: true });
  await ship.click();
  await page.locator("[name=number][aria-invalid=true]").waitFor();
  await fits("what is missing to ship by hand");
  await page.getByLabel("Carrier", { exact: true }).fill("Bicycle");
  await page.getByLabel("Number", { exact: true }).fill("42");
  await ship.click();
  await page.getByText("Bicycle 42").waitFor();
  await button("Could not be delivered").click();
  await dialog.getByLabel("Why").fill("Nobody was there");
  await fits("not delivered");
  await dialog.getByRole("button", { name: "Note it" }).click();
  await button("Came back, 1 on the shelf").click();
  await page.getByText("1 back on the shelf").waitFor();

  // It stands among those that came back, whose list the address keeps.
  await link("Back to the list").click();
  await link("Came back").click();
  await card.waitFor();
  await page.reload();
  await card.waitFor();
  assert.match(page.url(), /state=RETURNED/);
  await eventually("nothing of it is to be picked", async () => {
    await link("To pick").click();
    await page.locator(".asked[aria-busy=true], .bars").waitFor({ state: "detached" });
    return (await card.count()) === 0;
  });
}
