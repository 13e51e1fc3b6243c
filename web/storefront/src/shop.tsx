import { lazy, Suspense, useEffect, type ComponentType } from "react";
import { Route, Switch, useLocation } from "wouter";
import { Frame } from "./ui/frame.tsx";
import { Waiting } from "./ui/state.tsx";
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
const Order = page(() => import("./pages/order.tsx"));
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
    </Frame>
  );
}

let first = true;

// A new page begins at its top, and is told to who cannot see it; going back
// is left to the browser, which remembers where one was.
function Arrival() {
  const [path] = useLocation();
  useEffect(() => {
    const forward = () => scrollTo(0, 0);
    let last = location.pathname;
    const pushed = () => {
      if (location.pathname !== last) forward();
      last = location.pathname;
    };
    const popped = () => void (last = location.pathname);
    addEventListener("pushState", pushed);
    addEventListener("popstate", popped);
    return () => (removeEventListener("pushState", pushed), removeEventListener("popstate", popped));
  }, []);
  useEffect(() => {
    if (first) first = false;
    else document.getElementById("content")?.focus({ preventScroll: true });
  }, [path]);
  return null;
}
