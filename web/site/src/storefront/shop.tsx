import { Component, lazy, Suspense, useEffect, type ComponentType, type ReactNode } from "react";
import { Route, Switch, useLocation } from "wouter";
import { Trouble } from "../api/client.ts";
import { Frame } from "./frame.tsx";
import { Failed, Waiting } from "../ui/state.tsx";
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

// A page that fails, as when its program cannot be fetched, says so in its
// place: without this nothing at all would be shown. Other pages go on.
class Held extends Component<{ path: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  override componentDidUpdate({ path }: { path: string }) {
    if (this.state.failed && path !== this.props.path) this.setState({ failed: false });
  }
  override render() {
    if (!this.state.failed) return this.props.children;
    return <Failed error={new Trouble(navigator.onLine ? "INTERNAL_SERVER_ERROR" : "OFFLINE", "")} retry={() => location.reload()} />;
  }
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
