// Dead letters: made by a mail server that refuses, replayed, dropped.
import assert from "node:assert/strict";
import { buy, eventually, pathOf, phone, sandbox, visitor } from "../stage.mjs";

async function refuse(share) {
  const answer = await fetch(`${sandbox}/sandbox/mail/faults`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ refused: share }) });
  assert.ok(answer.ok, `the mail server says ${answer.status}`);
}

export default async function () {
  const { page, dialog, fits, signIn } = await visitor(phone);
  await signIn("admin", "/dead-letters");
  await page.getByText("Nothing is dead").waitFor();
  await fits("no dead letters");

  await refuse(1);
  let orders;
  try {
    orders = [await buy(), await buy(), await buy()];
    const letter = (order) => page.locator(".letter").filter({ hasText: order.id.split("/").at(-1) }).filter({ hasText: "confirmed" });
    for (const order of orders) await letter(order).first().waitFor(); // without a touch
    await letter(orders[0]).locator("summary").first().click();
    assert.match(await letter(orders[0]).first().innerText(), /550/);
    await fits("dead letters");

    // Replayed while mails are still refused, it dies again, and tells of both tries.
    await letter(orders[0]).first().getByRole("button", { name: "Replay" }).click();
    await letter(orders[0]).filter({ hasText: "2 tries" }).first().waitFor();

    // Dropped, after a question, it is gone for good.
    await letter(orders[1]).first().getByRole("button", { name: "Drop" }).click();
    await dialog.getByText("The customer does not get this message.").waitFor();
    await fits("a letter to drop");
    await dialog.getByRole("button", { name: "Drop it" }).click();
    await eventually("the dropped letter is gone", async () => (await letter(orders[1]).count()) === 0);
  } finally {
    await refuse(0);
  }

  // All that are shown, and then nothing is dead.
  const again = page.getByRole("button", { name: /^Replay all \d+ shown$/ });
  await again.click();
  await eventually("nothing is dead", async () => {
    if ((await again.count()) > 0) await again.click({ timeout: 5_000 }); // one may have died meanwhile
    return page.getByText("Nothing is dead").isVisible();
  });
  await page.getByLabel("Kept by").selectOption("notification");
  await page.waitForURL(/service=notification/);
  await page.getByText("Nothing is dead in notification").waitFor();

  const desk = await visitor();
  await desk.signIn("merchant", pathOf(orders[0].id).slice("/console".length));
  await desk.page.goto(page.url());
  await desk.heading("Dead letters").waitFor();
  assert.equal(await desk.page.getByRole("button", { name: /^Replay/ }).count(), 0, "who may only look can replay");
}
