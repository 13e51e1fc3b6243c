import { Link } from "wouter";
import type { OrderPartsFragment as Order } from "../../../api/gql.ts";
import { addressLines } from "../../../ui/address.tsx";
import { Picture } from "../../../ui/picture.tsx";
import { useWords } from "../../../words/index.ts";

/** What was bought, what it cost, and where it goes. */
export function Receipt({ order }: { order: Order }) {
  const w = useWords();
  const o = w.order;
  const { totals, payment } = order;
  return (
    <aside className="panel">
      <h2>{order.status === "FAILED" ? o.linesFailed : o.lines}</h2>
      <ul className="bought">
        {order.lines.map((line) => (
          <li key={line.id}>
            <Picture of={line.image} alt="" />
            <Link href={`/products/${line.productHandle}`}>
              {line.quantity} × {line.title}
              <span className="quiet small"> {line.selectedOptions.filter(({ name }) => name !== "Title").map(({ value }) => value).join(", ")}</span>
            </Link>
            <span>{w.price(line.totalAmount)}</span>
          </li>
        ))}
      </ul>
      <dl className="sums">
        <div>
          <dt>{o.subtotal}</dt>
          <dd>{w.price(totals.subtotalAmount)}</dd>
        </div>
        {order.shippingRate && (
          <div>
            <dt>
              {o.shipping}
              <span className="quiet small">
                {" "}
                {order.shippingRate.title}, {o.days(order.shippingRate.minDays, order.shippingRate.maxDays)}
              </span>
            </dt>
            <dd>{Number(totals.shippingAmount.amount) > 0 ? w.price(totals.shippingAmount) : w.checkout.free}</dd>
          </div>
        )}
        {!totals.taxIncluded && (
          <div>
            <dt>{o.tax}</dt>
            <dd>{w.price(totals.taxAmount)}</dd>
          </div>
        )}
        <div className="total">
          <dt>{o.total}</dt>
          <dd>{w.price(totals.totalAmount)}</dd>
        </div>
        {payment && Number(payment.refundedAmount.amount) > 0 && (
          <div>
            <dt>{o.refunded}</dt>
            <dd>{w.price(payment.refundedAmount)}</dd>
          </div>
        )}
      </dl>
      {Number(totals.discountAmount.amount) > 0 && <p className="good small">{o.saved(w.price(totals.discountAmount))}</p>}
      {totals.taxIncluded && <p className="quiet small">{w.checkout.taxIncluded(w.price(totals.taxAmount))}</p>}
      {payment?.card && <p className="quiet small">{o.paidWith(payment.card.brand.replace(/^./, (first) => first.toUpperCase()), payment.card.last4)}</p>}
      <div>
        <h3>{o.to}</h3>
        <address className="quiet small">
          {addressLines(order.shippingAddress, w).map((line) => (
            <div key={line}>{line}</div>
          ))}
        </address>
      </div>
    </aside>
  );
}
