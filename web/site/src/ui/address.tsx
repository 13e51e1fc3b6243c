import { useState } from "react";
import type { AddressPartsFragment, CountryCode, MailingAddressInput } from "../api/gql.ts";
import { useWords, type Speech } from "../words/index.ts";
import { useCountries, useCountry } from "./countries.ts";
import { Choice, Field } from "./field.tsx";
import type { read, Wrongs } from "./form.ts";

// Where addresses name a state, on which taxes may depend.
const withStates = new Set<string>(["AU", "BR", "CA", "IN", "MX", "US"]);

type Props = {
  of?: Partial<AddressPartsFragment> | undefined;
  wrongs: Wrongs;
  /** Which address it is to the browser's own address book. */
  section?: "shipping";
  onCountry?: (country: CountryCode) => void;
};

/**
 * The fields of an address, named as in MailingAddressInput. An address that
 * comes later fills the fields in which nobody has typed.
 */
export function AddressFields({ of, wrongs, section, onCountry }: Props) {
  const w = useWords();
  const c = w.checkout;
  const own = useCountry();
  const [chosen, choose] = useState<CountryCode>();
  const country = chosen ?? of?.countryCodeV2 ?? own;
  const countries = useCountries(country);
  const known = (name: string) => (section ? `${section} ${name}` : name);
  const field = (name: keyof MailingAddressInput & keyof typeof c & keyof AddressPartsFragment, autoComplete: string, required = true) => (
    <Field name={name} label={c[name] as string} autoComplete={known(autoComplete)} defaultValue={(of?.[name] as string | null) ?? ""} required={required} wrong={wrongs[name]} />
  );
  return (
    <>
      <div className="two">
        {field("firstName", "given-name", false)}
        {field("lastName", "family-name")}
      </div>
      {field("company", "organization", false)}
      {field("address1", "address-line1")}
      {field("address2", "address-line2", false)}
      <div className="zip-city">
        {field("zip", "postal-code")}
        {field("city", "address-level2")}
      </div>
      <Choice
        name="countryCode"
        label={w.country}
        autoComplete={known("country")}
        value={country ?? ""}
        wrong={wrongs["countryCode"]}
        onChange={({ target }) => {
          choose(target.value as CountryCode);
          onCountry?.(target.value as CountryCode);
        }}
      >
        {countries.map(({ isoCode, name }) => (
          <option key={isoCode} value={isoCode}>
            {name}
          </option>
        ))}
      </Choice>
      {withStates.has(country ?? "") && field("provinceCode", "address-level1", false)}
    </>
  );
}

/** An address as written on a parcel, its country in the customer's language. */
export const addressLines = ({ formatted, country, countryCodeV2 }: AddressPartsFragment, w: Speech) =>
  formatted.map((line) => (line === country && countryCodeV2 ? w.countryName(countryCodeV2) : line));

/** The address that was typed into them. */
export function addressIn({ text }: ReturnType<typeof read>): MailingAddressInput {
  return {
    firstName: text("firstName"),
    lastName: text("lastName"),
    company: text("company"),
    address1: text("address1"),
    address2: text("address2"),
    zip: text("zip"),
    city: text("city"),
    provinceCode: text("provinceCode").toUpperCase() || undefined,
    countryCode: text("countryCode") as CountryCode,
  };
}
