// An order's story, and what is done to it: money given back, a message sent
// again, the order called off.
import assert from "node:assert/strict";
import { ask, buy, excuse, fulfil, pathOf, say, tokenOf, url, visitor } from "../stage.mjs";

export default async function () {
  const order = await buy({ quantities: { "harbour-mug": 3 } });
  const warehouse = await tokenOf("warehouse");
  const { page, button, heading, rows, dialog, told, fits, signIn } = await visitor();
  await signIn("admin", pathOf(order.id).slice("/console".length));
  await heading(`Order ${order.number}`).waitFor();
  const state = page.locator(".order-state");
  await state.filter({ hasText: "Confirmed" }).waitFor();
  const section = (name) => page.getByRole("region", { name, exact: true });
  await section("Consignments").getByText("To pick").waitFor();
  await section("Messages").getByText("Order confirmed").first().waitFor();
  await page.getByRole("button", { name: /^PDF of Invoice / }).waitFor();
  await section("Payment").getByRole("rowheader", { name: "capture" }).waitFor();
  await section("Stock").getByText("Sold").waitFor();
  await fits("an order");

  // It goes on by itself, though answers take longer than it is until the next question.
  await page.route("**/graphql", async (route) => {
    if (/query StaffOrder\b/.test(route.request().postDataJSON()?.query)) await new Promise((done) => setTimeout(done, 6_000));
    await route.continue().catch(() => {}); // nobody waits for it any more
  });
  await fulfil(warehouse, order.id, "Pick", "Pack", "Ship");
  await page.locator(".timeline li[data-status=SHIPPED]").waitFor();
  await page.unroute("**/graphql");
  await section("Messages").getByText("Parcel shipped").first().waitFor();
  say("shipped, without touching the page");

  // Its customer looks on.
  const customer = await visitor();
  await customer.page.goto(`${url}/order/${order.id.split("/").at(-1)}#${order.token}`);
  await customer.heading(`Order ${order.number}`).waitFor();
  assert.equal(await customer.page.getByText("Refunded").count(), 0);

  // Too much is refused, beside its field, and nothing is given.
  await button("Refund…").click();
  await dialog.getByText("3 of 3 left").waitFor();
  await fits("a refund");
  const amount = dialog.getByLabel(/^Another amount/);
  await amount.fill("9999");
  await dialog.getByRole("button", { name: "Refund €9,999.00" }).click();
  await dialog.locator("[name=amount][aria-invalid=true]").waitFor();
  await dialog.getByRole("alert").filter({ hasText: "can still be given back" }).waitFor();
  await fits("a refund refused");
  await amount.fill("12 or so");
  await dialog.getByRole("button", { name: "Refund", exact: true }).click();
  await dialog.getByRole("alert").filter({ hasText: "Write it like" }).waitFor();
  await amount.fill("");

  // One of three, whose answer is lost on the way: it is given back once.
  await dialog.getByLabel(/^Harbour Mug/).fill("1");
  await dialog.getByLabel(/came back/).check();
  await dialog.getByLabel(/^Reason/).fill("A crack in it");
  excuse(/net::ERR_FAILED|Failed to load resource/);
  let sent = 0;
  const keys = new Set();
  await page.route("**/graphql", async (route) => {
    const { query, variables } = route.request().postDataJSON();
    if (!/mutation StaffRefund\b/.test(query)) return route.continue();
    keys.add(variables.input.idempotencyKey);
    if (++sent > 1) return route.continue();
    await route.fetch();
    await route.abort();
  });
  const third = await dialog.getByRole("button", { name: /^Refund €/ }).innerText();
  await dialog.getByRole("button", { name: third }).click();
  await told(third.replace("Refund ", "")).waitFor();
  await dialog.waitFor({ state: "hidden" });
  assert.ok(sent > 1, "it was not sent again");
  assert.equal(keys.size, 1, "it was sent again under another key");
  await page.unroute("**/graphql");
  const refunds = section("Refunds").locator("tbody tr");
  await refunds.filter({ hasText: "Refunded" }).waitFor();
  assert.equal(await refunds.count(), 1);
  assert.match(await refunds.innerText(), /1 × Harbour Mug/);
  await customer.page.getByText("Refunded").first().waitFor(); // by itself
  await page.getByRole("button", { name: /^PDF of Credit note/ }).waitFor();
  const { order: now } = await ask("query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { payment { refundedAmount { amount } } totals { totalAmount { amount } } } }", { id: order.id, token: order.token });
  assert.equal(third, `Refund €${now.payment.refundedAmount.amount}`, "another sum was given back than was shown");
  await fits("refunded in part");
  await button("Refund…").click();
  await dialog.getByText("2 of 3 left").waitFor();
  await dialog.getByRole("button", { name: "Back" }).click();
  await dialog.waitFor({ state: "hidden" });
  say("refunded");

  // A message goes out once more.
  const confirmed = section("Messages").locator("tbody tr").filter({ hasText: "Order confirmed mail" });
  const messages = await confirmed.count();
  assert.equal(messages, 1);
  await confirmed.getByRole("button").click();
  await told("sent once more").waitFor();
  await confirmed.nth(1).filter({ hasText: "Sent" }).waitFor();
  say("sent again");

  // What has left the house is not called off; another is.
  assert.equal(await button("Call off…").count(), 0);
  const regretted = await buy();
  await page.goto(url + pathOf(regretted.id));
  await heading(`Order ${regretted.number}`).waitFor();
  await button("Call off…").click();
  await dialog.getByLabel(/^Reason/).fill("Ordered twice");
  await fits("calling off");
  await dialog.getByRole("button", { name: "Call it off" }).click();
  await told(`Order ${regretted.number}`).waitFor();
  await dialog.waitFor({ state: "hidden" });
  await state.filter({ hasText: "Refunded" }).waitFor();
  await page.getByText("Ordered twice").first().waitFor();
  assert.equal(await button("Refund…").count(), 0);

  // Of no order nothing is shown.
  await page.goto(`${url}/console/orders/nothing`);
  await heading("No such order").waitFor();
  await fits("no order");
  assert.equal(await rows.count(), 0);

  // Who may not see money, messages and papers is not shown any, and asks for none.
  const packer = await visitor();
  await packer.signIn("warehouse", pathOf(order.id).slice("/console".length));
  await packer.heading(`Order ${order.number}`).waitFor();
  await packer.page.getByRole("region", { name: "Consignments" }).waitFor();
  for (const name of ["Messages", "Documents"]) assert.equal(await packer.page.getByRole("region", { name }).count(), 0, name);
  for (const name of ["Refund…", "Call off…"]) assert.equal(await packer.button(name).count(), 0, name);
  await packer.fits("the warehouse's order");
  await packer.page.getByRole("region", { name: "Consignments" }).getByRole("rowheader").getByRole("link").click();
  await packer.page.waitForURL(/\/console\/picking\?order=.+&parcel=.+/);
  await packer.page.getByText(order.number).first().waitFor();
}
