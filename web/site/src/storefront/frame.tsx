// What surrounds every page.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { CountryCode } from "../api/gql.ts";
import { useShop } from "../api/shop.ts";
import { useCountries, useCountry } from "../ui/countries.ts";
import { setCountry, setOpen, useCart } from "./cart.ts";
import { choose, usePlace, type Language } from "../words/place.ts";
import { useCustomer } from "../api/session.ts";
import { useWords } from "../words/index.ts";
import { Drawer } from "./drawer.tsx";
import { isTest } from "./page.ts";
import { SearchBox } from "./searchbox.tsx";
import { Offline } from "../ui/state.tsx";

export function Frame({ children }: { children: ReactNode }) {
  const w = useWords();
  return (
    <>
      <a className="skip" href="#content">
        {w.skip}
      </a>
      <Header />
      <Offline />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Footer />
      <Drawer />
    </>
  );
}

function Header() {
  const w = useWords();
  const shop = useShop();
  const { cart } = useCart();
  const customer = useCustomer();
  const count = cart?.totalQuantity ?? 0;
  return (
    <header className="header">
      <Link href="/" className="wordmark">
        {shop?.shop.name ?? " "}
      </Link>
      <SearchBox />
      <div className="header-tools">
        <Link href={customer === null ? "/account/sign-in" : "/account"}>{customer === null ? w.nav.signIn : w.nav.account}</Link>
        <button type="button" className="cart-button" onClick={() => setOpen(true)}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M3 7h14l-1.500 10h-11zM7 7c0-5 6-5 6 0" />
          </svg>
          <span className="cart-word">{w.cart.title}</span>{" "}
          <span className="count" data-empty={count === 0 || undefined}>
            {count}
            <span className="visually-hidden"> {w.nav.items(count)}</span>
          </span>
        </button>
      </div>
      <nav aria-label={w.nav.main} className="header-nav">
        <ul>
          <li>
            <Link href="/search">{w.nav.all}</Link>
          </li>
          {shop?.collections.nodes.map(({ id, handle, title }) => (
            <li key={id}>
              <Link href={`/collections/${handle}`}>{title}</Link>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function Footer() {
  const w = useWords();
  const place = usePlace();
  const country = useCountry();
  const countries = useCountries(country);
  return (
    <footer className="footer">
      <div className="footer-choices">
        <label>
          <span>{w.language}</span>
          <select value={place.language} onChange={(event) => choose({ language: event.target.value as Language })}>
            <option value="en">English</option>
            <option value="de">Deutsch</option>
          </select>
        </label>
        <label>
          <span>{w.country}</span>
          <select
            value={country ?? ""}
            onChange={(event) => {
              const code = event.target.value as CountryCode;
              choose({ country: code });
              void setCountry(code);
            }}
          >
            {countries.map(({ isoCode, name }) => (
              <option key={isoCode} value={isoCode}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p className="quiet small">
        {isTest && `${w.testShop} `}
        <a href="/licenses.md">{w.licences}</a>
      </p>
    </footer>
  );
}
