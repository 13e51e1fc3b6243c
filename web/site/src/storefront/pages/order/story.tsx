import { Link } from "wouter";
import type { OrderPartsFragment as Order, OrderStatus } from "../../../api/gql.ts";
import { useWords } from "../../../words/index.ts";
import { Cancel } from "./cancel.tsx";
import { Messages } from "./messages.tsx";
import { Papers } from "./papers.tsx";
import { Parcels } from "./parcels.tsx";
import { Receipt } from "./receipt.tsx";
import { Refunds } from "./refunds.tsx";

/** All there is to say of an order. */
export function Story({ order, token, connected }: { order: Order; token: string | undefined; connected: boolean }) {
  const w = useWords();
  const o = w.order;
  const { payment, status, fulfillments } = order;
  const asked = status === "PAYING" && payment?.state === "ACTION_NEEDED" && payment.actionUrl;
  const failed = status === "FAILED";
  const left = fulfillments.filter((parcel) => gone.has(parcel.status)).length;
  return (
    <>
      <header className="order-head">
        {!failed && (
          <p className="live" data-live={connected || undefined}>
            {connected ? o.live : o.reconnecting}
          </p>
        )}
        <h1>{failed ? o.failed : o.title(order.number)}</h1>
        <p role="status">
          {!failed && <strong>{o.status[status]} · </strong>}
          <span className="quiet">{status === "SHIPPED" && left < fulfillments.length ? o.partly(left, fulfillments.length) : o.about[status]}</span>
        </p>
        {order.email && !failed && <p className="quiet small">{o.mailTo(order.email)}</p>}
      </header>
      {failed && (
        <div className="panel trouble" role="alert">
          {order.problems.length > 0 ? (
            order.problems.map((problem) => <p key={problem.message}>{w.mishap(problem)}</p>)
          ) : (
            <p>{w.mishap({ code: order.reason, message: o.about.FAILED })}</p>
          )}
          <p>
            <Link href="/checkout" className="button button-main">
              {o.tryAgain}
            </Link>
          </p>
        </div>
      )}
      {asked && (
        <div className="panel trouble" role="alert">
          <h2>{o.confirmTitle}</h2>
          <p>{o.confirmText}</p>
          <p>
            <a className="button button-main" href={asked}>
              {o.confirm}
            </a>
          </p>
        </div>
      )}
      <div className="columns">
        <div>
          <Progress order={order} />
          <Parcels of={fulfillments} />
          <Refunds of={order} />
          <Papers order={order} token={token} />
          <Messages of={order.id} token={token} />
          <Cancel order={order} token={token} />
        </div>
        <Receipt order={order} />
      </div>
    </>
  );
}

const gone = new Set(["SHIPPED", "DELIVERED", "FAILED_DELIVERY", "RETURNED"]);
const way: OrderStatus[] = ["PENDING", "RESERVED", "PAYING", "CONFIRMED", "FULFILLING", "SHIPPED", "DELIVERED"];
const bad = new Set<OrderStatus>(["FAILED", "CANCELLED", "REFUNDED"]);

// What is still to come; of an order of which nothing is sent that ends with the money.
function ahead({ status, shippingRate, payment }: Order): OrderStatus[] {
  if (status === "CANCELLED") return Number(payment?.capturedAmount.amount ?? 0) > 0 ? ["REFUNDED"] : [];
  if (bad.has(status)) return [];
  return way.slice(way.indexOf(status) + 1, shippingRate ? undefined : way.indexOf("CONFIRMED") + 1);
}

function Progress({ order }: { order: Order }) {
  const w = useWords();
  const o = w.order;
  // It stays in a state for several causes: that is one step.
  const timeline = order.timeline.filter(({ status }, i, all) => status !== all[i - 1]?.status);
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">{o.timeline}</h2>
      <ol className="timeline">
        {timeline.map(({ at, status }, i) => (
          <li key={`${at} ${status}`} data-bad={bad.has(status) || undefined} aria-current={i === timeline.length - 1 ? "step" : undefined} data-status={status}>
            <strong>{o.status[status]}</strong>
            <time dateTime={at}>{w.time(at)}</time>
          </li>
        ))}
        {ahead(order).map((status) => (
          <li key={status} data-ahead>
            <span>{o.status[status]}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
