// A guest on a phone: from the search to an order that moves by itself, with a
// declined card, one that the bank asks about, and the order called off.
import assert from "node:assert/strict";
import { complaints, most, phone, say, url, visitor } from "../stage.mjs";

// light: what the first page needs of scripts stays small, compressed.
async function light() {
  const html = await (await fetch(url)).text();
  let bytes = 0;
  for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)) {
    const answer = await fetch(url + path, { headers: { "Accept-Encoding": "gzip" } });
    bytes += Number(answer.headers.get("Content-Length"));
    assert.match(answer.headers.get("Cache-Control"), /immutable/);
  }
  say(`the first page has ${(bytes / 1024).toFixed(0)} KB of scripts, gzipped`);
  assert.ok(bytes > 0 && bytes <= 150 * 1024);
}

// The shop cannot say how the order is when it is first watched.
let refused = 0;
const refuseOnce = (socket) => {
  const server = socket.connectToServer();
  socket.onMessage((message) => {
    const { id, type, payload } = JSON.parse(message);
    if (type !== "subscribe" || !/subscription OrderStatus/.test(payload.query) || refused++) return server.send(message);
    socket.send(JSON.stringify({ id, type: "error", payload: [{ message: "away", extensions: { code: "UNAVAILABLE" } }] }));
  });
};

export default async function () {
  const guest = await visitor({ viewport: phone });
  const { page, asked, button, link, heading, drawer, fits } = guest;
  await page.routeWebSocket(/\/graphql$/, refuseOnce);
  await page.goto(url);
  await heading("Plain things that last.").waitFor();
  await page.locator(".cards article").first().waitFor();
  assert.ok(!asked.includes("Home") && !asked.includes("Shop"), `the first page asked once more: ${asked}`);
  await page.getByText("This is a test shop").waitFor();
  await light();
  await fits("home");

  const field = page.getByRole("combobox", { name: "Search" });
  await field.fill("harbor mu");
  await page.getByRole("option", { name: /Harbour Mug/ }).waitFor();
  await fits("suggestions");
  await field.fill("mug");
  await field.press("Enter");
  await heading("“mug”").waitFor();
  await link("Harbour Mug").click();
  await heading("Harbour Mug").waitFor();
  await page.getByRole("heading", { name: "Goes well with" }).waitFor();
  await fits("product");
  say("found it");

  // Cart: shown at once, changed, and refused in plain words.
  await guest.addToCart("harbour-mug", "Harbour Mug");
  await drawer.getByRole("button", { name: "One more" }).click();
  await page.waitForFunction(() => document.querySelector(".drawer output").textContent === "2" && document.querySelector(".drawer footer[aria-busy=false]"));
  await fits("cart");

  // What is added while the cart is slow to come joins what is in it.
  const letGo = await guest.hold("Cart");
  await page.reload();
  await heading("Harbour Mug").waitFor();
  await button("Add to cart").click();
  letGo();
  await page.waitForFunction(() => document.querySelector(".drawer output")?.textContent === "3" && document.querySelector(".drawer footer[aria-busy=false]"));
  await drawer.getByRole("link", { name: "Checkout" }).click();

  // Checkout: what is missing, a declined card, one that the bank asks about.
  await heading("Checkout").waitFor();
  await page.getByRole("radio", { name: /Express/ }).waitFor();
  await guest.pay();
  await page.locator("#checkout [role=alert]").first().waitFor();
  assert.equal(await page.getByRole("textbox", { name: "E-mail" }).getAttribute("aria-invalid"), "true");
  await fits("checkout");
  await guest.fillIn();
  await page.getByRole("radio", { name: /Express/ }).check();
  await page.getByRole("radio", { name: "Visa, declined" }).check();
  await guest.pay();
  const declined = page.locator("#method-wrong");
  await declined.waitFor();
  assert.match(await declined.textContent(), /declined/);
  const cards = page.getByRole("radiogroup", { name: "Test cards" });
  assert.equal(await cards.getAttribute("aria-describedby"), "method-wrong");
  assert.equal(await page.getByLabel("Town").inputValue(), "Hamburg", "what was typed is gone");
  await fits("declined");
  await page.getByRole("radio", { name: "Visa, to be confirmed at the bank" }).check();
  await guest.pay();
  await heading(/^Order /).waitFor();
  await link("Confirm at the bank").waitFor();
  await fits("order to be confirmed");
  await guest.confirm();
  await guest.step("CONFIRMED").waitFor(); // by itself
  assert.ok(refused > 1, "the order was not watched again");
  say("confirmed, without touching the page");

  const pdf = page.getByRole("button", { name: /^PDF/ }).first();
  await pdf.waitFor();
  const file = await guest.download(pdf);
  assert.match(file.name, /\.pdf$/);
  assert.equal(file.text.slice(0, 5), "%PDF-");
  await fits("order");
  const [shipping] = await page.locator(".sums dd").nth(1).allTextContents();
  assert.notEqual(shipping, "Free", "express costs something");
  assert.match(await page.locator(".cart-button").innerText(), /0/);

  // Where the bank leads back to.
  const here = page.url();
  await page.goto(`${url}/order/return`);
  await page.waitForURL(here);
  await heading(/^Order /).waitFor();

  // Called off: the money comes back, with a credit note.
  await button("Call the order off").click();
  await button("Yes, call it off").click();
  await guest.step("REFUNDED").waitFor();
  await page.getByRole("heading", { name: "Refunds" }).waitFor();
  await page.getByText(/^Credit note CN-/).waitFor({ timeout: 2 * most });
  const note = await guest.download(page.getByRole("button", { name: /^E-invoice \(XML\) \(Credit note/ }));
  assert.match(note.text, /CreditNote/);
  await fits("called off");
  say("called off");

  // Without the token it is nobody's.
  await page.goto(`${url}/order/nothing`);
  await heading("This order cannot be shown").waitFor();
  await fits("no order");

  await missing(guest);
}

// missing opens an address that is none: the browser notes its 404, and that is no complaint.
async function missing({ page, asked, fits }) {
  const before = complaints.splice(0);
  asked.length = 0;
  const answer = await page.goto(`${url}/nowhere`);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  await page.waitForFunction(() => document.querySelector(".wordmark").textContent.trim());
  assert.equal(asked.filter((name) => name === "Shop").length, 1, `the page asked more than once: ${asked}`);
  await fits("nothing");
  complaints.splice(0, complaints.length, ...before, ...complaints.filter((text) => !text.includes("404")));
}
