import { lazy, Suspense, useEffect, type ComponentType } from "react";
import { Route, Switch, useLocation } from "wouter";
import { Frame } from "./frame.tsx";
import { Arrival, Held } from "../ui/arrival.tsx";
import { Waiting } from "../ui/state.tsx";
import { Home } from "./pages/home.tsx";
import { Missing } from "./pages/missing.tsx";

// Every page but the first is fetched by itself, and all of them soon
// after, so that going on does not wait.
const loaders: (() => Promise<unknown>)[] = [];
function page<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>) {
  loaders.push(load);
  return lazy(load);
}

const Search = page(() => import("./pages/search.tsx"));
const Product = page(() => import("./pages/product.tsx"));
const Checkout = page(() => import("./pages/checkout.tsx"));
const Order = page(() => import("./pages/order/order.tsx"));
const Account = page(() => import("./pages/account/account.tsx"));

export function Shop() {
  useEffect(() => {
    const fetchAll = () => loaders.forEach((load) => void load().catch(() => {}));
    const later = setTimeout(fetchAll, 1_500);
    return () => clearTimeout(later);
  }, []);
  return (
    <Frame>
      <Arrival />
      <Held path={useLocation()[0]}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/" component={Home} />
            <Route path="/search">{() => <Search />}</Route>
            <Route path="/collections/:handle">{({ handle }) => <Search key={handle} handle={handle} />}</Route>
            <Route path="/products/:handle">{({ handle }) => <Product key={handle} handle={handle} />}</Route>
            <Route path="/checkout">{() => <Checkout />}</Route>
            <Route path="/order/:id">{({ id }) => <Order key={id} id={id} />}</Route>
            <Route path="/account/*?">{() => <Account />}</Route>
            <Route component={Missing} />
          </Switch>
        </Suspense>
      </Held>
    </Frame>
  );
}
