// What a refund comes to, in whole minor units, as the shop works it out. It is
// sent along as the amount, so that nobody gives back another sum than was shown.
import type { Money } from "../words/index.ts";
import type { StoryFragment } from "./gql.ts";

const decimals = (amount: string) => amount.split(".")[1]?.length ?? 0;

/** An amount in minor units of so many decimals. */
export function minor(amount: string, digits: number): bigint {
  const [whole = "0", part = ""] = amount.split(".");
  return BigInt(whole + part.slice(0, digits).padEnd(digits, "0"));
}

export function major<M extends Money>(units: bigint, like: M): M {
  const digits = decimals(like.amount);
  const text = units.toString().padStart(digits + 1, "0");
  return { ...like, amount: digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text };
}

/** What was typed as an amount of this currency; nothing when it is none. */
export function typed<M extends Money>(text: string, like: M): M | undefined {
  const plain = text.replace(",", ".");
  const digits = decimals(like.amount);
  if (!/^\d+(\.\d+)?$/.test(plain) || decimals(plain) > digits) return undefined;
  return major(minor(plain, digits), like);
}

export type Left = ReturnType<typeof leftOf>;

/** What of an order can still be given back: units of each line, the shipping. Refused refunds do not count. */
export function leftOf(order: StoryFragment) {
  const { totals } = order;
  const digits = decimals(totals.totalAmount.amount);
  const of = ({ amount }: Money) => minor(amount, digits);
  const given = order.refunds.filter(({ status }) => status !== "FAILED");
  const lines = order.lines.map((line) => {
    const back = given.flatMap(({ lines }) => lines).reduce((sum, { line: { id }, quantity }) => sum + (id === line.id ? quantity : 0), 0);
    const paid = of(line.totalAmount) + (totals.taxIncluded ? 0n : of(line.taxAmount));
    // The first units are a minor unit dearer where it does not come out even.
    const upTo = (units: number) => (paid * BigInt(units) + BigInt(line.quantity) - 1n) / BigInt(line.quantity);
    return { line, units: line.quantity - back, price: (units: number) => upTo(back + units) - upTo(back) };
  });
  const shippingTax = totals.taxIncluded ? 0n : of(totals.taxAmount) - order.lines.reduce((sum, { taxAmount }) => sum + of(taxAmount), 0n);
  const shipping = of(totals.shippingAmount) + shippingTax - given.reduce((sum, { shippingAmount }) => sum + of(shippingAmount), 0n);
  return { lines, shipping };
}
