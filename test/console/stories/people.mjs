// Customers and staff: found, signed out, exported, erased; taken on, and given roles.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask, eventually, phone, tokenOf, visitor } from "../stage.mjs";

export default async function () {
  const theirs = await tokenOf("customer"); // signed in, on one device
  const { page, button, link, heading, rows, dialog, fits, signIn } = await visitor();
  await signIn("support", "/customers");
  await rows.first().waitFor();
  await page.getByLabel("E-mail begins with").fill("cust");
  await button("Find").click();
  await page.waitForURL(/email=cust/);
  await fits("customers");
  await link("customer@example.com").click();
  await heading("Robin Quay").waitFor();
  await page.getByText("Nothing was bought with this account.").waitFor();
  await fits("a customer");
  const small = await visitor(phone);
  await small.signIn("support", new URL(page.url()).pathname.slice("/console".length));
  await small.heading("Robin Quay").waitFor();
  await small.fits("a customer on a phone");

  // All that is kept, as a file.
  const [saved] = await Promise.all([page.waitForEvent("download"), button("Export the data").click()]);
  const kept = JSON.parse(await readFile(await saved.path(), "utf8"));
  assert.equal(typeof kept, "object", "the file is a text of JSON, not JSON");
  assert.match(JSON.stringify(kept), /customer@example\.com/);

  // Signed out everywhere.
  await button("End all sessions").click();
  await fits("sessions to end");
  await dialog.getByRole("button", { name: "End them" }).click();
  await page.getByText("Signed in nowhere.").waitFor();
  await eventually("their token is good no more", async () => {
    try {
      const { customer } = await ask("{ customer { id } }", {}, theirs);
      return customer === null;
    } catch (error) {
      return /UNAUTHENTICATED/.test(error.message);
    }
  });

  // Forgotten, but not by a slip of the hand.
  await button("Erase the customer…").click();
  await dialog.getByLabel(/^To be sure/).fill("somebody@example.com");
  await dialog.getByRole("button", { name: "Erase" }).click();
  await dialog.getByText("This is not the customer’s address.").waitFor();
  await fits("a customer to erase");
  await dialog.getByRole("button", { name: "Back" }).click();

  // Staff: taken on, and no more than what their roles say.
  const admin = await visitor();
  await admin.signIn("admin", "/staff");
  await admin.rows.filter({ hasText: "you" }).waitFor();
  await admin.fits("staff");
  await admin.button("Take somebody on").click();
  await admin.dialog.getByLabel("E-mail").fill("new@example.com");
  await admin.dialog.getByRole("button", { name: "Take on" }).click();
  await admin.dialog.getByText("Choose at least one role.").waitFor();
  await admin.fits("somebody to take on");
  await admin.dialog.getByLabel(/^Warehouse/).check();
  await admin.dialog.getByRole("button", { name: "Take on" }).click();
  await admin.rows.filter({ hasText: "new@example.com" }).getByText("Warehouse").waitFor();
  await admin.button("Change roles of new@example.com").click();
  await admin.dialog.getByLabel(/^Support/).check();
  await admin.dialog.getByRole("button", { name: "Change", exact: true }).click();
  await admin.rows.filter({ hasText: "new@example.com" }).getByText("Support").waitFor();

  // And erased in earnest: the one who was just taken on.
  await admin.page.goto(`${page.url().split("?")[0].replace(/\/customers.*/, "/customers?email=new")}`);
  await admin.link("new@example.com").click();
  await admin.button("Erase the customer…").click();
  await admin.dialog.getByLabel(/^To be sure/).fill("NEW@example.com");
  await admin.dialog.getByRole("button", { name: "Erase" }).click();
  await admin.heading("Customers").waitFor();
  const { customers } = await ask('{ customers(first: 1, email: "new@example.com") { nodes { id } } }', {}, await tokenOf("admin"));
  assert.deepEqual(customers.nodes, []);
}
