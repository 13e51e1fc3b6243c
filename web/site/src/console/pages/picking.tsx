// What the warehouse does: parcels to pick, and each one's way out of the house.
import { useMemo } from "react";
import { Link, useLocation } from "wouter";
import { renew } from "../../api/query.ts";
import { Choice } from "../../ui/field.tsx";
import { useAction } from "../action.ts";
import { stages, toFetch, units, unitsOf, useParcel, type Consignment } from "../consignment.ts";
import { useFresh } from "../fresh.ts";
import { ConsignmentPickDocument, ConsignmentsDocument, type FulfillmentStatus } from "../gql.ts";
import { Asked, Page, Pager, useCursor, useFilters, When } from "../parts.tsx";
import { useWarehouses } from "../warehouse.ts";
import { parcelStates } from "../words.ts";
import { Parcel } from "./parcel.tsx";
import "./picking.css";

const perPage = 50; // what one person carries, and two sheets of paper

export default function Picking() {
  const { order, parcel } = useParcel();
  return order && parcel ? <Parcel key={parcel} order={order} id={parcel} /> : <List />;
}

function List() {
  const { params, set } = useFilters();
  const { after } = useCursor();
  const status = stages.find((stage) => stage === params.get("state")) ?? "OPEN";
  const warehouse = params.get("warehouse") ?? undefined;
  const { warehouses } = useWarehouses();
  const answer = useFresh(ConsignmentsDocument, { first: perPage, after, status, warehouse }, 8_000);
  return (
    <Page
      title="Picking"
      actions={
        <button type="button" className="button" onClick={() => print()} disabled={!answer.data?.consignments.nodes.length}>
          Print this list
        </button>
      }
    >
      <div className="picking-bar">
        <nav className="stages" aria-label="Parcels by state">
          <ul>
            {stages.map((stage) => (
              <li key={stage}>
                <Stage of={stage} current={stage === status} />
              </li>
            ))}
          </ul>
        </nav>
        {warehouses.length > 1 && (
          <Choice label="Warehouse" value={warehouse ?? ""} onChange={({ target }) => set({ warehouse: target.value })}>
            <option value="">All warehouses</option>
            {warehouses.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Choice>
        )}
      </div>
      <Asked of={answer}>
        {({ consignments: { nodes, pageInfo } }) => (
          <>
            {nodes.length === 0 ? (
              <p className="empty quiet">{status === "OPEN" ? "Nothing to pick. New orders come up here by themselves." : "No parcel is in this state."}</p>
            ) : (
              <>
                {status === "OPEN" && <ToFetch of={nodes} />}
                <ul className="parcel-cards">
                  {nodes.map((parcel) => (
                    <li key={parcel.id}>
                      <Card of={parcel} />
                    </li>
                  ))}
                </ul>
                <Sheet of={nodes} status={status} warehouse={warehouse} />
              </>
            )}
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
    </Page>
  );
}

function Stage({ of, current }: { of: FulfillmentStatus; current: boolean }) {
  const [path] = useLocation();
  const { params } = useFilters();
  const to = new URLSearchParams(params);
  to.delete("after");
  to.delete("state");
  if (of !== "OPEN") to.set("state", of);
  return (
    <Link href={to.size > 0 ? `${path}?${to}` : path} aria-current={current ? "page" : undefined}>
      {parcelStates[of][0]}
    </Link>
  );
}

function Card({ of }: { of: Consignment }) {
  const { href } = useParcel();
  const { nameOf } = useWarehouses();
  const [, go] = useLocation();
  const pick = useAction(ConsignmentPickDocument, { problems: (data) => data.consignmentPick?.userErrors ?? [], done: () => `${of.orderNumber}: yours to pick.`, renews: [ConsignmentsDocument] });
  return (
    <article className="parcel-card" data-status={of.status}>
      <header>
        <h2>
          <Link href={href(of)}>{of.orderNumber}</Link>
        </h2>
        <span className="quiet">{nameOf(of.warehouse)}</span>
        <span className="quiet parcel-age">
          <When at={of.createdAt} />
        </span>
      </header>
      <ul>
        {of.lines.map(({ sku, title, quantity }) => (
          <li key={sku}>
            <strong>{quantity} ×</strong> {title} <span className="quiet">{sku}</span>
          </li>
        ))}
      </ul>
      {of.status === "OPEN" && (
        <button
          type="button"
          className="button button-wide"
          disabled={pick.busy}
          onClick={async () => {
            if (await pick.press({ id: of.id })) go(href(of));
            else renew(ConsignmentsDocument); // somebody else was faster
          }}
        >
          Pick it<span className="visually-hidden"> for {of.orderNumber}</span>
        </button>
      )}
      {of.short && <p className="parcel-short">Not all of it was found</p>}
    </article>
  );
}

function ToFetch({ of }: { of: Consignment[] }) {
  const fetch = useMemo(() => toFetch(of), [of]);
  return (
    <details className="to-fetch">
      <summary>
        To fetch: {units(fetch.reduce((sum, { quantity }) => sum + quantity, 0))} of {fetch.length} {fetch.length === 1 ? "SKU" : "SKUs"}
      </summary>
      <ul>
        {fetch.map(({ sku, title, quantity }) => (
          <li key={sku}>
            <strong>{quantity} ×</strong> {title} <span className="quiet">{sku}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

// What is printed in the place of the page: what to fetch, with boxes to tick,
// then parcel by parcel what goes into each.
function Sheet({ of, status, warehouse }: { of: Consignment[]; status: FulfillmentStatus; warehouse: string | undefined }) {
  const { nameOf } = useWarehouses();
  const fetch = useMemo(() => toFetch(of), [of]);
  return (
    <section className="sheet">
      <p className="sheet-title">
        {parcelStates[status][0]}, {warehouse === undefined ? "all warehouses" : nameOf(warehouse)}
      </p>
      <p>
        {new Date().toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })}: {of.length === 1 ? "1 parcel" : `${of.length} parcels`}, {units(of.reduce((sum, parcel) => sum + unitsOf(parcel), 0))}
      </p>
      <table>
        <thead>
          <tr>
            <th />
            <th>SKU</th>
            <th>Product</th>
            <th>Units</th>
            <th>For the orders</th>
          </tr>
        </thead>
        <tbody>
          {fetch.map(({ sku, title, quantity, orders }) => (
            <tr key={sku}>
              <td>☐</td>
              <td className="sheet-sku">{sku}</td>
              <td>{title}</td>
              <td>
                <strong>{quantity}</strong>
              </td>
              <td>{orders.map((order) => <span key={order}>{order}</span>)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.map((parcel) => (
        <div key={parcel.id} className="sheet-parcel">
          <p>
            <strong>☐ {parcel.orderNumber}</strong> from {nameOf(parcel.warehouse)}, {units(unitsOf(parcel))}
          </p>
          <ul>
            {parcel.lines.map(({ sku, title, quantity }) => (
              <li key={sku}>
                ☐ {quantity} × {title} ({sku})
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
