import { lazy, Suspense, type ComponentType } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { Arrival, Held } from "../ui/arrival.tsx";
import { Failed, Waiting } from "../ui/state.tsx";
import { Frame } from "./frame.tsx";
import { Notice, Page } from "./parts.tsx";
import { sections } from "./sections.ts";
import { NoStaff, SignIn } from "./signin.tsx";
import { useMay, useSignedIn, ViewerContext } from "./viewer.ts";

const Board = lazy(() => import("./pages/board.tsx"));
const Orders = lazy(() => import("./pages/orders.tsx"));
const Order = lazy(() => import("./pages/order/order.tsx"));
const Picking = lazy(() => import("./pages/picking.tsx"));
const Stock = lazy(() => import("./pages/stock.tsx"));
const Sku = lazy(() => import("./pages/sku.tsx"));
const Products = lazy(() => import("./pages/products.tsx"));
const DeadLetters = lazy(() => import("./pages/deadletters.tsx"));
const Customers = lazy(() => import("./pages/customers.tsx"));
const Customer = lazy(() => import("./pages/customer.tsx"));
const Staff = lazy(() => import("./pages/staff.tsx"));

export function Console() {
  const { viewer, error, retry } = useSignedIn();
  if (viewer === null) return <SignIn />;
  if (viewer === undefined) return <main id="content">{error ? <Failed error={error} retry={retry} /> : <Waiting />}</main>;
  if (viewer.permissions.length === 0) return <NoStaff viewer={viewer} />;
  return (
    <ViewerContext value={viewer}>
      <Router base="/console">
        <Frame>
          <Arrival />
          <Pages key={viewer.id} />
        </Frame>
      </Router>
    </ViewerContext>
  );
}

function Pages() {
  const may = useMay();
  const [path] = useLocation();
  const page = (at: string, Shown: ComponentType<{ id: string }>) => {
    const section = sections.find(({ path }) => path === at.replace(/\/:id$/, ""))!;
    return (
      <Route path={at}>
        {({ id = "" }: { id?: string }) => (may(section.needs) ? <Shown key={id} id={id} /> : at === "/" ? <Redirect to={sections.find(({ needs }) => may(needs))?.path ?? "/nothing"} replace /> : <Forbidden name={section.name} />)}
      </Route>
    );
  };
  return (
    <Held path={path}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          {page("/", Board)}
          {page("/orders", Orders)}
          {page("/orders/:id", Order)}
          {page("/picking", Picking)}
          {page("/stock", Stock)}
          {page("/stock/:id", Sku)}
          {page("/products", Products)}
          {page("/dead-letters", DeadLetters)}
          {page("/customers", Customers)}
          {page("/customers/:id", Customer)}
          {page("/staff", Staff)}
          <Route>
            <Page title="Nothing here">
              <p>This page does not exist.</p>
            </Page>
          </Route>
        </Switch>
      </Suspense>
    </Held>
  );
}

const Forbidden = ({ name }: { name: string }) => (
  <Page title={name}>
    <Notice bad>Your roles do not include this page. Who may change them: an administrator, under Staff.</Notice>
  </Page>
);
