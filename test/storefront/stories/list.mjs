// Looking through collections: what was chosen stands in the address, so that
// reloading and going back keep it.
import assert from "node:assert/strict";
import { desk, phone, say, url, visitor } from "../stage.mjs";

export default async function () {
  const { page, heading, link, fits } = await visitor();
  const titles = () => page.locator(".list .card-title").allTextContents();
  // listed waits until the list is the answer to its address.
  const listed = async (count) => {
    await page.waitForFunction((count) => {
      const list = document.querySelector(".list section[aria-busy=false]");
      const said = Number.parseInt(list?.querySelector("[role=status]")?.textContent ?? "");
      const shown = list?.querySelectorAll(".card a").length;
      return said > 0 && (count === undefined ? shown > 0 : said === count) && !list.querySelector(".fading");
    }, count);
    return titles();
  };
  await page.goto(url);
  await page.locator(".collections a").first().click();
  await page.waitForURL(/\/collections\//);
  await listed();
  const collection = await page.locator("h1").textContent();
  await fits("collection");
  await page.reload();
  await heading(collection).waitFor();
  await listed();

  // Everything, page by page.
  await link("All products").click();
  await heading("All products").waitFor();
  const first = await listed();
  assert.equal(first.length, 24);
  const next = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Next" });
  await next.click();
  await page.waitForURL(/after=/);
  await page.waitForFunction((title) => document.querySelector(".list .card-title").textContent !== title, first[0]);
  const second = await listed();
  assert.ok(second.every((title) => !first.includes(title)), "pages overlap");
  await page.reload();
  await listed();
  assert.deepEqual(await titles(), second, "the page did not survive the reload");
  await page.goBack();
  await page.waitForFunction((title) => document.querySelector(".list .card-title").textContent === title, first[0]);
  assert.deepEqual(await listed(), first);
  await page.goForward();
  await page.waitForFunction((title) => document.querySelector(".list .card-title").textContent === title, second[0]);
  say("turned pages");

  // Sorted: the cheapest first, from the first page again.
  await page.getByLabel("Sort").selectOption({ label: "Price, low to high" });
  await page.waitForURL(/^(?!.*after=).*sort=cheap/);
  const prices = async () => (await page.locator(".card-price").allTextContents()).map((text) => Number(/[\d.]+/.exec(text)[0]));
  const ascending = () =>
    page.waitForFunction(() => {
      const prices = [...document.querySelectorAll(".list .card-price")].map((price) => Number(/[\d.]+/.exec(price.textContent)[0]));
      return document.querySelector("section[aria-busy=false]") && prices.length > 1 && prices.every((price, i) => i === 0 || prices[i - 1] <= price);
    });
  await ascending();
  const cheap = await prices();
  await page.reload();
  await ascending();
  assert.deepEqual(await prices(), cheap, "the order did not survive the reload");

  // Facets, several of them, and a price.
  const count = async () => Number.parseInt(await page.locator(".list-bar [role=status]").textContent());
  const all = await count();
  const maker = page.locator(".facet").filter({ hasText: "Maker" }).locator("label").first();
  const named = (await maker.textContent()).replace(/ *\d+$/, "");
  const expected = Number(/\d+$/.exec((await maker.textContent()).trim())[0]);
  await maker.getByRole("checkbox").check();
  await page.waitForURL(/vendor=/);
  await listed(expected);
  assert.ok(expected < all);
  await page.getByLabel("To", { exact: true }).fill("40");
  await page.locator(".price-facet button").click();
  await page.waitForURL(/max=40/);
  await page.waitForFunction(() => document.querySelector("section[aria-busy=false]") && [...document.querySelectorAll(".list .card-price")].every((price) => Number(/[\d.]+/.exec(price.textContent)[0]) <= 40));
  const chosen = await titles();
  await fits("filtered");
  await page.reload();
  await listed();
  assert.deepEqual(await titles(), chosen, "the filters did not survive the reload");
  assert.ok(await page.getByRole("checkbox", { name: named }).isChecked());
  assert.equal(await page.getByLabel("To", { exact: true }).inputValue(), "40");

  // To a product and back: where one was.
  await page.locator(".list .card a").first().click();
  await page.locator(".buy-row").waitFor();
  await page.goBack();
  await page.waitForURL(/vendor=.*max=40|max=40.*vendor=/);
  await listed();
  assert.deepEqual(await titles(), chosen);
  await page.goBack();
  await page.waitForURL(/^(?!.*max=)/);
  await listed(expected);
  say("filters came along");

  // Nothing left.
  await page.goto(`${url}/search?q=lamp&max=1`);
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  await fits("nothing found");
  await page.locator(".notice").getByRole("button", { name: "Clear filters" }).click();
  await page.waitForURL(/^(?!.*max=)/);
  await listed();

  // On a phone the filters wait behind a word.
  await page.setViewportSize(phone);
  await page.goto(`${url}/search?sort=newest`);
  await listed();
  assert.ok(!(await page.locator(".facet").first().isVisible()));
  await page.locator("summary", { hasText: "Filters" }).click();
  await page.locator(".facet").first().waitFor();
  await fits("filters on a phone");
  await page.setViewportSize(desk);
}
