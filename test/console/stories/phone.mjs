// The console on a phone: everything fits.
import { buy, pathOf, phone, url, visitor } from "../stage.mjs";

export default async function () {
  const order = await buy({ quantities: { "harbour-mug": 2 }, email: "somebody.with.a.very.long.address.indeed@department.of.long.names.example.com" });
  const { page, button, link, heading, rows, dialog, fits, signIn } = await visitor(phone);
  await page.goto(`${url}/console`);
  await heading("Sign in").waitFor();
  await fits("the door");
  await signIn("support", "/orders");
  await rows.first().waitFor();
  await fits("the list");
  await button("Filters").click();
  await page.getByLabel("Number").waitFor();
  await fits("filters");
  await button("Menu").click();
  await fits("the menu");
  await link("Customers").click();
  await heading("Customers").waitFor();
  await link("Orders").waitFor({ state: "hidden" });
  await page.goto(url + pathOf(order.id));
  await heading(`Order ${order.number}`).waitFor();
  await page.getByRole("region", { name: "Messages" }).waitFor();
  await fits("an order");
  await button("Refund…").click();
  await dialog.getByText("2 of 2 left").waitFor();
  await fits("a refund");
}
