// The customer's own pages, and the way in.
import { useState, type ReactNode } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { Trouble } from "../../../api/client.ts";
import type { CustomerPartsFragment } from "../../../api/gql.ts";
import { replace } from "../../cart.ts";
import { signOut, useCustomer } from "../../../api/session.ts";
import { Bar, Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { Missing } from "../missing.tsx";
import { Addresses } from "./addresses.tsx";
import { Erased } from "./data.tsx";
import { Recover, Register, Reset, SignIn, Verify } from "./entry.tsx";
import { Orders } from "./orders.tsx";
import { Profile } from "./profile.tsx";

export default function Account() {
  return (
    <Switch>
      <Route path="/account/sign-in" component={SignIn} />
      <Route path="/account/register" component={Register} />
      <Route path="/account/recover" component={Recover} />
      <Route path="/account/verify" component={Verify} />
      <Route path="/account/reset" component={Reset} />
      <Route path="/account/erased" component={Erased} />
      <Route path="/account">{() => <Own>{() => <Orders />}</Own>}</Route>
      <Route path="/account/addresses">{() => <Own>{() => <Addresses />}</Own>}</Route>
      <Route path="/account/profile">{() => <Own>{(customer) => <Profile customer={customer} />}</Own>}</Route>
      <Route component={Missing} />
    </Switch>
  );
}

// Own shows a page to who is signed in; a guest is led to the door.
function Own({ children }: { children: (customer: CustomerPartsFragment) => ReactNode }) {
  const w = useWords();
  const a = w.account;
  const [path, go] = useLocation();
  const customer = useCustomer();
  const [wrong, setWrong] = useState<string>();
  if (customer === null) return <Redirect to={`/account/sign-in?${new URLSearchParams({ next: path })}`} replace />;
  const tab = (to: string, name: string) => (
    <li>
      <Link href={to} aria-current={path === to ? "page" : undefined}>
        {name}
      </Link>
    </li>
  );
  return (
    <>
      <h1>{customer ? a.hello(customer.firstName || customer.displayName) : <Bar width="10em" />}</h1>
      <nav className="tabs" aria-label={a.sections}>
        <ul>
          {tab("/account", a.orders)}
          {tab("/account/addresses", a.addresses)}
          {tab("/account/profile", a.profile)}
          <li>
            <a
              href="/"
              onClick={(event) => {
                event.preventDefault();
                setWrong(undefined);
                signOut().then(
                  () => {
                    replace(null);
                    go("/");
                  },
                  (error: unknown) => setWrong(w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: "" })),
                );
              }}
            >
              {a.signOut}
            </a>
          </li>
        </ul>
      </nav>
      {wrong && <Wrong>{wrong}</Wrong>}
      {customer ? children(customer) : <Bar />}
    </>
  );
}
