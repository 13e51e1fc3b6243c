// What the shop says, in the customer's language, and how it writes sums,
// dates and countries: those are the browser's own.
import { usePlace, type Language } from "./place.ts";
import { de } from "./de.ts";
import { en, type Mishaps, type Words } from "./en.ts";

const catalogues: Record<Language, Words> = { en, de };

export type Money = { amount: string; currencyCode: string };

/** The sum of two amounts of one currency, exact: they come as text with all their decimals. */
export function plus(a: Money, b: Money): Money {
  const decimals = (text: string) => text.split(".")[1]?.length ?? 0;
  const digits = Math.max(decimals(a.amount), decimals(b.amount));
  const minor = ({ amount }: Money) => BigInt(amount.replace(".", "") + "0".repeat(digits - decimals(amount)));
  const sum = (minor(a) + minor(b)).toString().padStart(digits + 1, "0");
  return { ...a, amount: digits ? `${sum.slice(0, -digits)}.${sum.slice(-digits)}` : sum };
}

export type Speech = Words & {
  price: (money: Money) => string;
  date: (at: string) => string;
  time: (at: string) => string;
  countryName: (code: string) => string;
  /** What to say of a mishap: our own words for its code, or else the shop's. */
  mishap: (problem: { code?: string | null; field?: string[] | null; message: string }) => string;
};

const speeches = new Map<string, Speech>();

function speech(language: Language, locale: string): Speech {
  const key = `${language} ${locale}`;
  const known = speeches.get(key);
  if (known) return known;
  const words = catalogues[language];
  const formats = new Map<string, Intl.NumberFormat>();
  const countries = new Intl.DisplayNames([locale], { type: "region" });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const made: Speech = {
    ...words,
    price: ({ amount, currencyCode }) => {
      let format = formats.get(currencyCode);
      if (!format) formats.set(currencyCode, (format = new Intl.NumberFormat(locale, { style: "currency", currency: currencyCode })));
      return format.format(amount as Intl.StringNumericLiteral);
    },
    date: (at) => date.format(new Date(at)),
    time: (at) => time.format(new Date(at)),
    countryName: (code) => countries.of(code) ?? code,
    mishap: ({ code, field, message }) =>
      (code && words.mishaps[code as keyof Mishaps]) ||
      (code === "INVALID" && (words.invalid[field?.at(-1) ?? ""] ?? words.invalid[""])) ||
      message ||
      words.mishaps.INTERNAL_SERVER_ERROR!,
  };
  speeches.set(key, made);
  return made;
}

/** What the shop says here. */
export function useWords(): Speech {
  const { language, locale } = usePlace();
  return speech(language, locale);
}
