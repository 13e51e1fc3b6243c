// Products out of a file, with a row that cannot be used.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask, eventually, phone, tokenOf, visitor } from "../stage.mjs";

const csv = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\nquay-bell,Quay Bell,BELL-QUAY,12.50,4\nquay-rope,Quay Rope,ROPE-QUAY,twelve,4\n";

export default async function () {
  const { page, button, rows, dialog, fits, signIn } = await visitor();
  await signIn("merchant", "/products");
  await rows.first().waitFor();
  await fits("products");

  await button("Import a file").click();
  await fits("a file to choose");
  const file = dialog.getByLabel("File");
  const send = dialog.getByRole("button", { name: "Import", exact: true });
  assert.equal(await send.isDisabled(), true);

  // What is no list of products is refused, beside its field.
  await file.setInputFiles({ name: "letter.json", mimeType: "application/json", buffer: Buffer.from('"Dear shop"') });
  await send.click();
  await page.locator("#import-file[aria-invalid=true]").waitFor();
  await fits("a file refused");

  await file.setInputFiles({ name: "quay.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  await send.click();
  await dialog.getByText("1 product is in the shop as the file has it.").waitFor();
  const left = dialog.getByRole("list", { name: "What was left out" });
  assert.match(await left.innerText(), /Line 3\b/);
  await fits("a row left out");
  const [saved] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Save the list as a text" }).click()]);
  assert.match(await readFile(await saved.path(), "utf8"), /Line 3: /);
  await dialog.getByRole("button", { name: "Done" }).click();

  // It is there, and so are its units; the row that could not be used is not.
  await page.getByLabel(/^Words/).fill("quay bell");
  await button("Find").click();
  const row = rows.filter({ hasText: "Quay Bell" });
  await eventually("it is found, with its units", async () => {
    await row.or(page.getByText("Nothing matches.")).first().waitFor();
    if ((await row.count()) === 1 && /€12\.50[^]*\b4\b/.test(await row.innerText())) return true;
    await page.reload(); // the search follows within moments
    return false;
  });
  const { stock } = await ask('{ stock(sku: "BELL-QUAY") { available } }', {}, await tokenOf("merchant"));
  assert.equal(stock.available, 4);
  const { product } = await ask('{ product(handle: "quay-rope") { id } }');
  assert.equal(product, null);

  const small = await visitor(phone);
  await small.signIn("merchant", "/products");
  await small.rows.first().waitFor();
  await small.fits("products on a phone");
}
