import { Link } from "wouter";
import { useWords } from "../../../words/index.ts";
import { parcelPath } from "../../consignment.ts";
import { Section, State, Table, When } from "../../parts.tsx";
import { useMay } from "../../viewer.ts";
import { useWarehouses } from "../../warehouse.ts";
import { parcelStates, reservationStates, trackingStates } from "../../words.ts";
import type { Order } from "./order.tsx";

export function Lines({ order }: { order: Order }) {
  const w = useWords();
  const may = useMay();
  const { totals } = order;
  const some = (amount: string) => Number(amount) > 0;
  return (
    <Section title="Lines">
      <Table
        caption="What was bought"
        rows={order.lines}
        keyOf={({ id }) => id}
        empty="No lines."
        columns={[
          {
            name: "Product",
            cell: ({ title, variantTitle }) => (
              <>
                {title} {variantTitle !== "Default Title" && <span className="quiet">{variantTitle}</span>}
              </>
            ),
          },
          { name: "SKU", cell: ({ sku }) => <span className="code">{may("STOCK_READ") ? <Link href={`/stock/${encodeURIComponent(sku)}`}>{sku}</Link> : sku}</span> },
          { name: "Units", figures: true, cell: ({ quantity }) => quantity },
          { name: "Each", figures: true, cell: ({ price }) => w.price(price) },
          ...(order.lines.some(({ discountAmount }) => some(discountAmount.amount)) ? [{ name: "Discount", figures: true, cell: ({ discountAmount }: Order["lines"][number]) => some(discountAmount.amount) && `−${w.price(discountAmount)}` }] : []),
          { name: "Tax", figures: true, cell: ({ taxRate }) => `${taxRate} %` },
          { name: "Total", figures: true, cell: ({ totalAmount }) => w.price(totalAmount) },
        ]}
      />
      <dl className="sums order-sums">
        <div>
          <dt>Goods</dt>
          <dd>{w.price(totals.subtotalAmount)}</dd>
        </div>
        {order.shippingRate && (
          <div>
            <dt>Shipping, {order.shippingRate.title}</dt>
            <dd>{w.price(totals.shippingAmount)}</dd>
          </div>
        )}
        {some(totals.discountAmount.amount) && (
          <div className="quiet">
            <dt>Discounts, taken off above</dt>
            <dd>{w.price(totals.discountAmount)}</dd>
          </div>
        )}
        {!totals.taxIncluded && (
          <div>
            <dt>Tax</dt>
            <dd>{w.price(totals.taxAmount)}</dd>
          </div>
        )}
        <div className="total">
          <dt>Total</dt>
          <dd>{w.price(totals.totalAmount)}</dd>
        </div>
        {totals.taxIncluded && (
          <div className="quiet">
            <dt>Tax in it</dt>
            <dd>{w.price(totals.taxAmount)}</dd>
          </div>
        )}
      </dl>
    </Section>
  );
}

export function Parcels({ order: { id: orderId, fulfillments } }: { order: Order }) {
  const may = useMay();
  const { nameOf } = useWarehouses();
  if (fulfillments.length === 0) return null;
  return (
    <Section title="Consignments">
      <Table
        caption="Consignments"
        rows={fulfillments}
        keyOf={({ id }) => id}
        empty=""
        columns={[
          { name: "From", cell: ({ id, warehouse }) => (may("ORDERS_FULFIL") ? <Link href={parcelPath({ orderId, id })}>{nameOf(warehouse)}</Link> : nameOf(warehouse)) },
          {
            name: "Status",
            beside: true,
            cell: ({ status, short }) => (
              <>
                <State of={parcelStates[status]} /> {short && <State of={["Short", "warn"]} />}
              </>
            ),
          },
          {
            name: "What",
            cell: ({ lines }) => (
              <ul>
                {lines.map(({ sku, title, quantity, packedQuantity, returnedQuantity }) => (
                  <li key={sku}>
                    {quantity} × {title}
                    <span className="quiet">
                      {packedQuantity > 0 && packedQuantity < quantity && `, ${packedQuantity} packed`}
                      {returnedQuantity > 0 && `, ${returnedQuantity} came back`}
                    </span>
                  </li>
                ))}
              </ul>
            ),
          },
          {
            name: "Tracking",
            cell: ({ trackingInfo }) =>
              trackingInfo.map(({ company, number, url, status }) => (
                <span key={number} className="tracking">
                  {company} {url ? <a href={url} rel="noreferrer">{number}</a> : number} {status && <span className="quiet">{trackingStates[status]}</span>}
                </span>
              )),
          },
          { name: "Changed", cell: ({ updatedAt }) => <When at={updatedAt} /> },
        ]}
      />
    </Section>
  );
}

export function Reservation({ order: { reservation } }: { order: Order }) {
  const { nameOf } = useWarehouses();
  if (!reservation) return null;
  return (
    <Section title="Stock" beside={<State of={reservationStates[reservation.status]} />}>
      <ul>
        {reservation.allocations.map(({ sku, warehouse, quantity }) => (
          <li key={`${sku} ${warehouse}`}>
            {quantity} × <Link href={`/stock/${encodeURIComponent(sku)}`} className="code">{sku}</Link> <span className="quiet">from {nameOf(warehouse)}</span>
          </li>
        ))}
      </ul>
      {reservation.status === "HELD" && reservation.expiresAt && (
        <p className="quiet">
          Given back by itself <When at={reservation.expiresAt} />
        </p>
      )}
    </Section>
  );
}
