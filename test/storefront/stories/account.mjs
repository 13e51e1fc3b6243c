// Somebody with an account, at a desk: from registering to being forgotten.
import assert from "node:assert/strict";
import { complaints, most, sandbox, say, url, visitor } from "../stage.mjs";

// unfetched opens a page whose program does not come: it says so, and comes
// when it can. The browser notes what it did not get.
async function unfetched({ page, button, heading }) {
  const before = complaints.splice(0);
  const program = /\/assets\/account-[^/]*\.js$/;
  await page.route(program, (route) => route.abort());
  await page.goto(`${url}/account`);
  await page.getByRole("heading", { name: "This could not be loaded" }).waitFor();
  await page.unroute(program);
  await button("Try again").click();
  await heading("Sign in").waitFor();
  complaints.splice(0, complaints.length, ...before, ...complaints.filter((text) => !/ERR_FAILED|dynamically imported/.test(text)));
}

async function mailedLink(to, path) {
  for (const end = Date.now() + 2 * most; ; await new Promise((done) => setTimeout(done, 100))) {
    const mails = await (await fetch(`${sandbox}/sandbox/mail/messages`)).json();
    const ids = (mails.messages ?? mails).filter((mail) => JSON.stringify(mail).includes(to)).map(({ id }) => id);
    for (const id of ids) {
      const text = await (await fetch(`${sandbox}/sandbox/mail/messages/${id}/html`)).text();
      const link = new RegExp(`https?://[^"'\\s<]*${path}\\?token=[^"'\\s<]+`).exec(text)?.[0];
      if (link) return link.replaceAll("&amp;", "&");
    }
    if (Date.now() > end) throw new Error(`no mail with ${path} came to ${to}`);
  }
}

export default async function () {
  const customer = await visitor();
  const { context, page, button, heading, fits, press, refusal } = customer;
  const email = `grace.${Date.now()}@example.com`;
  await unfetched(customer);
  await page.goto(`${url}/account`);
  await heading("Sign in").waitFor(); // a guest is led to the door
  await fits("sign in");
  await page.getByRole("link", { name: "Open an account" }).click();
  await heading("Open an account").waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("First name").fill("Grace");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await press("Open an account", refusal());
  assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("aria-invalid"), "true");
  await fits("registration");
  await page.getByLabel("Password", { exact: true }).fill("a harbour at dawn");
  await press("Open an account", heading("Look into your mailbox"));
  await page.goto(await mailedLink(email, "/account/verify"));
  await heading("Your address is confirmed").waitFor();
  assert.equal(new URL(page.url()).search, "", "the link's secret stays in the address");
  await fits("verified");
  say("registered");

  // What a guest has in the cart is there after signing in.
  await customer.addToCart("harbour-mug", "Harbour Mug");
  await button("Close").click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await heading("Sign in").waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await press("Sign in", refusal());
  await page.getByLabel("Password", { exact: true }).fill("a harbour at dawn");
  await press("Sign in", heading("Hello, Grace"));
  await page.getByRole("button", { name: "Cart 1 item" }).waitFor();
  assert.equal(await page.evaluate(() => Object.values(localStorage).some((value) => value.includes("eyJ"))), false, "a token lies where scripts can read it");
  await page.getByRole("heading", { name: "You have not bought anything yet." }).waitFor();
  await fits("no orders");
  await page.goto(`${url}/account/sign-in?next=/%09/example.com`); // which browsers take for another shop's
  await heading("Hello, Grace").waitFor();
  say("signed in");

  await page.getByRole("link", { name: "Addresses" }).click();
  await button("Add an address").click();
  await page.getByLabel("Last name").fill("Hopper");
  await page.getByLabel("Street and number").fill("Kai 7");
  await page.getByLabel("Postcode").fill("20457");
  await page.getByLabel("Town").fill("Hamburg");
  await fits("address");
  await button("Save").click();
  await page.getByText("Kai 7").first().waitFor();
  await fits("addresses");
  await page.getByRole("link", { name: "Profile" }).click();
  await page.getByLabel("First name").fill("Grace B.");
  await button("Save").first().click();
  await heading("Hello, Grace B.").waitFor();
  await fits("profile");

  // The checkout knows the customer, and the order is among theirs.
  await page.goto(`${url}/checkout`);
  await page.waitForFunction(() => document.querySelector("[name=city]")?.value === "Hamburg");
  assert.equal(await page.getByRole("textbox", { name: "E-mail" }).inputValue(), email);
  await page.getByRole("radio", { name: "Visa, approved" }).check();
  await customer.pay();
  await heading(/^Order /).waitFor();
  await page.goto(`${url}/account`);
  await page.locator(".order-row").click();
  await heading(/^Order /).waitFor();
  assert.equal(new URL(page.url()).hash, "", "an own order needs no token");
  await customer.step("CONFIRMED").waitFor();
  const pdf = page.getByRole("button", { name: /^PDF/ }).first();
  await pdf.waitFor();
  assert.equal((await customer.download(pdf)).text.slice(0, 5), "%PDF-");
  await fits("own order");
  await page.goto(`${url}/account`);
  await page.locator(".order-row").waitFor();
  await fits("orders");

  // A copy of all that is kept.
  await page.goto(`${url}/account/profile`);
  const [file] = await Promise.all([page.waitForEvent("download"), button("Download").click()]);
  const kept = [];
  for await (const part of await file.createReadStream()) kept.push(part);
  assert.ok(JSON.stringify(JSON.parse(Buffer.concat(kept).toString())).includes(email), "the copy of the data is somebody else's");
  say("had a copy");

  // Who signs out in one window is signed out in all.
  await page.goto(`${url}/account`);
  const window = await context.newPage();
  window.setDefaultTimeout(most);
  await window.goto(`${url}/account/addresses`);
  await window.getByText("Kai 7").first().waitFor();
  await page.getByRole("link", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await window.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await window.close();
  await page.goto(`${url}/account/recover`);
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await press("Send the link", heading("Look into your mailbox"));
  await page.goto(await mailedLink(email, "/account/reset"));
  await page.waitForURL(`${url}/account/reset`); // the link's secret has left the address,
  await page.reload(); // and is kept all the same
  await page.getByLabel("New password", { exact: true }).fill("another harbour");
  await fits("new password");
  await press("Save", heading("The new password is set"));
  say("a new password");

  // Forgotten on request.
  await page.goto(`${url}/account/sign-in?next=/account/profile`);
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill("another harbour");
  await press("Sign in", heading("Hello, Grace B."));
  await button("Close the account").click();
  await fits("closing the account");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await press("Close the account", refusal());
  await page.getByLabel("Password", { exact: true }).fill("another harbour");
  await press("Close the account", heading("Your account is closed"));
  await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
  say("forgotten");
}
