// Who gets in, and what of the console is theirs.
import assert from "node:assert/strict";
import { password, url, visitor } from "../stage.mjs";

export default async function () {
  const { page, button, link, heading, fits, pass, context } = await visitor();
  const answer = await page.goto(`${url}/console/orders?state=FAILED`);
  assert.equal(answer.status(), 200);
  await heading("Sign in").waitFor();
  await fits("the door");

  // A wrong password is refused, beside its field.
  const field = page.getByLabel("Password");
  await pass("support@example.com", "not this one", page.locator("[name=password][aria-invalid=true]"));
  assert.equal(await field.inputValue(), "not this one");
  await fits("refused");

  // A customer is told that this is not for them.
  await pass("customer@example.com", password, heading("Not for customers"));
  assert.match(await page.locator("main").innerText(), /customer@example\.com/);
  assert.equal(await page.getByRole("navigation").count(), 0);
  await fits("a customer");
  await button("Sign out").click();

  // Who works here comes to the page that was asked for.
  await heading("Sign in").waitFor();
  await pass("support@example.com", password, heading("Orders"));
  assert.equal(new URL(page.url()).search, "?state=FAILED");
  assert.equal(await page.evaluate(() => Object.values({ ...localStorage, ...sessionStorage }).some((value) => value.includes("eyJ"))), false, "a token lies where scripts can read it");
  const sections = await page.getByRole("navigation", { name: "Console" }).getByRole("link").allInnerTexts();
  assert.deepEqual(sections, ["Orders", "Stock", "Customers"]);

  // The first page is the first that is theirs; what is not says so.
  await page.goto(`${url}/console`);
  await heading("Orders").waitFor();
  await page.goto(`${url}/console/staff`);
  await page.getByText("Your roles do not include this page.").waitFor();
  await fits("not theirs");
  await page.goto(`${url}/console/nowhere`);
  await heading("Nothing here").waitFor();
  assert.equal(await link("Orders").getAttribute("aria-current"), null);

  // Who signs out in one window is signed out in all.
  const other = await context.newPage();
  await other.goto(`${url}/console/orders`);
  await other.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
  await button("Sign out").click();
  await heading("Sign in").waitFor();
  await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
}
