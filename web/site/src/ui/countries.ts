import { CountriesDocument, type CountryCode } from "../api/gql.ts";
import { useQuery } from "../api/query.ts";
import { useShop } from "../api/shop.ts";
import { useWords } from "../words/index.ts";
import { usePlace } from "../words/place.ts";

/** The countries there are to choose from, by name; until they have come the one that is chosen. */
export function useCountries(chosen: CountryCode | null | undefined): { isoCode: CountryCode; name: string }[] {
  const w = useWords();
  const { data } = useQuery(CountriesDocument, {});
  const codes = data?.localization.availableCountries.map(({ isoCode }) => isoCode) ?? (chosen ? [chosen] : []);
  return codes.map((isoCode) => ({ isoCode, name: w.countryName(isoCode) })).sort((a, b) => a.name.localeCompare(b.name));
}

/** The country to begin with: what was chosen, or else the shop's own. */
export function useCountry(): CountryCode | undefined {
  const shop = useShop();
  return usePlace().country ?? shop?.shop.paymentSettings.countryCode;
}
