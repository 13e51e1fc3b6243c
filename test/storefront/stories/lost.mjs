// The connection is lost while an order is watched, in each way there is: the
// page says so, and catches up by itself.
import assert from "node:assert/strict";
import { line } from "../line.mjs";
import { control, eventually, excuse, say, statusOf, url, visitor } from "../stage.mjs";

export default async function () {
  excuse(/net::ERR_/); // what the browser notes of requests that came to nothing
  const wire = await line(url);
  const guest = await visitor({ at: wire.url });
  const { page, fits } = guest;
  const live = page.locator(".live[data-live]");
  const again = page.getByText("Reconnecting…");
  const order = async () => {
    await guest.addToCart("harbour-mug", "Harbour Mug");
    await guest.buy("pm_card_authenticationRequired");
    await page.locator("[role=alert] a.button-main").waitFor();
    await live.waitFor();
  };
  const delivered = () => eventually("the order is delivered", async () => (await statusOf(page)) === "DELIVERED");
  const unaware = async () => assert.equal(await guest.step("DELIVERED").count(), 0, "the page knows what nobody told it");

  for (const [how, lose] of [
    ["cut", () => wire.cut()],
    ["silent", () => wire.hush()], // which only who asks can notice
  ]) {
    await order();
    lose();
    await guest.confirm();
    await delivered();
    await unaware();
    await again.waitFor();
    if (how === "cut") await fits("reconnecting");
    await unaware();
    wire.mend();
    await guest.step("DELIVERED").waitFor();
    await live.waitFor();
    say(`caught up after the line was ${how}`);
  }

  // The browser itself knows that it is offline.
  await order();
  await guest.context.setOffline(true);
  const notice = page.getByText("You are offline.");
  await notice.waitFor();
  await fits("offline");
  await guest.confirm();
  await delivered();
  await guest.context.setOffline(false);
  await notice.waitFor({ state: "detached" });
  await guest.step("DELIVERED").waitFor();
  say("caught up after being offline");

  // The shop is killed, and comes back.
  await order();
  await fetch(`${control}/kill`, { method: "POST" });
  await again.waitFor();
  await fetch(`${control}/start`, { method: "POST" });
  await live.waitFor();
  await guest.confirm();
  await guest.step("DELIVERED").waitFor();
  say("caught up after the shop was killed");
  wire.close();
}
