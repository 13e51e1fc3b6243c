// Stock: found, counted, and told by its ledger.
import assert from "node:assert/strict";
import { ask, buy, eventually, excuse, say, tokenOf, visitor } from "../stage.mjs";

export default async function () {
  const { product } = await ask('{ product(handle: "harbour-mug") { variants(first: 1) { nodes { sku } } } }');
  const [{ sku }] = product.variants.nodes;
  await buy();
  const { page, button, link, heading, rows, dialog, told, fits, signIn } = await visitor();
  await signIn("warehouse", "/stock");
  await rows.first().waitFor();
  await fits("the stock");

  // Found by how it begins, which the address keeps.
  await page.getByLabel("SKU begins with").fill(sku.slice(0, -1));
  await button("Find").click();
  await page.waitForURL(/sku=/);
  await page.reload();
  const row = rows.filter({ has: page.getByRole("link", { name: sku, exact: true }) });
  await row.waitFor();
  assert.match(await row.innerText(), /Harbour Mug/);
  await page.getByRole("radio", { name: "Sold out" }).check();
  await page.waitForURL(/left=out/);
  await page.goBack();
  await row.waitFor();
  await link(sku).click();
  await heading(sku).waitFor();
  await rows.filter({ hasText: "Sold" }).first().waitFor();
  await fits("a SKU");

  // What makes no sense is said beside its field; what is less than is held, too.
  const on = async () => Number(/(\d+) on hand/.exec(await page.locator("main").innerText())[1]);
  const before = await on();
  await page.getByLabel("Units").fill("many");
  await button("Adjust").click();
  await page.locator("[name=units][aria-invalid=true]").waitFor();
  await page.getByRole("radio", { name: "Went out" }).check();
  await page.getByLabel("Units").fill("100000");
  await button("Adjust").click();
  await page.locator(".field .wrong").filter({ hasNotText: "whole number" }).waitFor();
  await fits("refused");

  // An adjustment is made once, though its answer is lost.
  await page.getByRole("radio", { name: "Came in" }).check();
  await page.getByLabel("Units").fill("7");
  const why = `delivery ${crypto.randomUUID()}`;
  await page.getByLabel("Why").fill(why);
  excuse(/status of 503/);
  let lost = 0;
  await page.route("**/graphql", async (route) => {
    if (lost || !/mutation StockAdjust/.test(route.request().postDataJSON()?.query)) return route.continue();
    lost++;
    await route.fetch();
    await route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify({ errors: [{ message: "away", extensions: { code: "UNAVAILABLE" } }] }) });
  });
  await button("Adjust").click();
  await told("adjusted").waitFor(); // the answer to the second try
  await eventually("the units are there, once", async () => (await on()) === before + 7);
  await page.unroute("**/graphql");
  assert.equal(lost, 1);
  const entry = rows.filter({ hasText: why });
  assert.equal(await entry.count(), 1);
  assert.match(await entry.innerText(), /\+7/);
  await rows.filter({ hasText: "Sold" }).first().getByRole("link", { name: "the order" }).click();
  await heading(/^Order|^[A-Z0-9]{4}-/).waitFor();
  say("from the ledger to the order");

  // A SKU that never was, and a shop's warehouses.
  await page.goto(`${page.url().split("/console")[0]}/console/stock/NO-SUCH-SKU`);
  await page.getByRole("heading", { name: "Never received" }).waitFor();
  await fits("a SKU that never was");

  const merchant = await visitor();
  await merchant.signIn("merchant", "/stock");
  await merchant.button("Warehouses").click();
  await merchant.dialog.getByRole("button", { name: "Open a warehouse" }).click();
  await merchant.fits("opening a warehouse");
  await merchant.page.getByLabel("Name", { exact: true }).fill("Kiel");
  await merchant.page.getByLabel("Id", { exact: true }).fill("kiel");
  await merchant.page.getByLabel("Country").selectOption({ label: "Denmark" });
  await merchant.dialog.getByRole("button", { name: "Open it" }).click();
  await merchant.dialog.getByRole("button", { name: "Change Kiel" }).waitFor();
  await merchant.fits("warehouses");
  const { warehouses } = await ask("{ warehouses { id name countryCode } }", {}, await tokenOf("warehouse"));
  assert.ok(warehouses.some(({ id, name, countryCode }) => id === "kiel" && name === "Kiel" && countryCode === "DK"));
  await merchant.dialog.getByRole("button", { name: "Change Kiel" }).click();
  assert.equal(await merchant.page.getByLabel("Country").inputValue(), "DK");
  assert.equal(await dialog.count(), 0);
}
