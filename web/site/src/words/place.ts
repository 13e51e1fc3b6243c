// Where the customer is and what they read: their browser's word at first,
// then their own choice, kept on this device.
import { useSyncExternalStore } from "react";
import { device } from "../api/device.ts";
import type { CountryCode, LanguageCode } from "../api/gql.ts";

export type Language = "en" | "de";
export type Place = { language: Language; locale: string; country: CountryCode | undefined };

const chosen = { language: "shop.language", country: "shop.country" };

function first(): Place {
  const preferred = navigator.languages.find((tag) => /^(en|de)\b/i.test(tag)) ?? "en";
  const kept = device.get(chosen.language);
  const language: Language = kept === "de" || kept === "en" ? kept : preferred.toLowerCase().startsWith("de") ? "de" : "en";
  const country = device.get(chosen.country) as CountryCode | null;
  return { language, locale: localeFor(language), country: country ?? undefined };
}

// The browser's own regional form of a language, so that dates and sums look
// as the customer is used to: en-GB, de-AT.
const localeFor = (language: Language) => navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;

let place = first();
document.documentElement.lang = place.language;
const listeners = new Set<() => void>();

export const here = () => place;

export function choose(change: Partial<Pick<Place, "language" | "country">>) {
  place = { ...place, ...change };
  place.locale = localeFor(place.language);
  if (change.language) device.set(chosen.language, change.language);
  if (change.country) device.set(chosen.country, change.country);
  document.documentElement.lang = place.language;
  listeners.forEach((tell) => tell());
}

/** Speaks this language on these pages, whatever was chosen on others. */
export function speakOnly(language: Language) {
  place = { ...place, language, locale: localeFor(language) };
  document.documentElement.lang = language;
}

export const usePlace = () =>
  useSyncExternalStore(
    (tell) => (listeners.add(tell), () => void listeners.delete(tell)),
    () => place,
  );

/** The variables of `@inContext`. */
export const context = () => ({ country: place.country, language: place.language.toUpperCase() as LanguageCode });
