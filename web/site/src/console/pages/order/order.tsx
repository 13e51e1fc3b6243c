// An order's whole story, which goes on while one looks.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "wouter";
import type { Operation } from "../../../api/client.ts";
import { outOfPath } from "../../../api/ids.ts";
import { useQuery, type Answer } from "../../../api/query.ts";
import { onConnection, watch } from "../../../api/socket.ts";
import { useBackOnline } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { StaffOrderDocument, StaffOrderInvoiceDocument, StaffOrderMessagesDocument, StaffOrderMovesDocument, type StaffOrderQuery } from "../../gql.ts";
import { Asked, Notice, Page, State, useEvery, When } from "../../parts.tsx";
import { useMay } from "../../viewer.ts";
import { failures, moving, orderStates } from "../../words.ts";
import { Cancel } from "./cancel.tsx";
import { Facts } from "./facts.tsx";
import { Lines, Parcels, Reservation } from "./goods.tsx";
import { Messages } from "./messages.tsx";
import { Papers } from "./papers.tsx";
import { Payment, Refunds } from "./payment.tsx";
import { Refund } from "./refund.tsx";
import { Addresses, Timeline } from "./story.tsx";

export type Order = NonNullable<StaffOrderQuery["order"]>;

export default function OrderPage({ id: part }: { id: string }) {
  const may = useMay();
  const id = outOfPath("Order", part);
  const asked = useQuery(StaffOrderDocument, {
    id,
    payments: may("PAYMENTS_READ"),
    stock: may("STOCK_READ"),
    messages: may("NOTIFICATIONS_READ"),
    operations: may("OPERATIONS_READ"),
  });
  const order = asked.data?.order;
  const live = useMoves(asked, id);
  useBackOnline(asked.retry);
  if (!order)
    return (
      <Page title={asked.data ? "No such order" : "Order"}>
        <Asked of={asked}>{() => <p>Its address may have been cut off. {may("ORDERS_READ") && <Link href="/orders">All orders</Link>}</p>}</Asked>
      </Page>
    );
  return <Story order={order} live={live} stale={<Asked of={asked}>{() => null}</Asked>} />;
}

// Asks again whenever something of the order has changed; whether that is heard.
function useMoves({ data, asking, retry }: Answer<StaffOrderQuery>, id: string): boolean {
  const may = useMay();
  const order = data?.order ?? undefined;
  const [live, setLive] = useState(true);
  useEffect(() => onConnection(setLive), []);
  const again = useSoon(retry);
  const watched = order ? id : undefined;
  const writing = may("INVOICES_READ") && order?.invoices.some(({ status }) => status === "PENDING");
  useNews(StaffOrderMovesDocument, watched, order?.version, again, () => setLive(false));
  useNews(StaffOrderMessagesDocument, may("NOTIFICATIONS_READ") ? watched : undefined, undefined, again);
  useNews(StaffOrderInvoiceDocument, writing ? watched : undefined, undefined, again);
  // Parcels, refunds and facts move without the order itself. A slow answer is
  // waited for: asking anew forgets what was asked.
  const busy = order && ((order.facts?.nodes.length ?? 0) > 0 || order.refunds.some(({ status }) => status === "PENDING") || moving.has(order.status));
  useEvery(busy ? 4_000 : 20_000, async () => asking || again());
  return live;
}

// Watches something of an order, and tells when its version is another than is
// known; where none is, the first one told is.
function useNews(operation: Operation<{ moved: { version: number } }, { id: string; after?: number | null }>, id: string | undefined, known: number | undefined, tell: () => void, end: () => void = () => {}) {
  const latest = useRef({ known, tell, end });
  useEffect(() => {
    latest.current = { known, tell, end };
  });
  useEffect(() => {
    if (id === undefined) return;
    const variables: { id: string; after?: number } = { id };
    return watch(
      operation,
      variables,
      ({ moved: { version } }) => {
        const { known, tell } = latest.current;
        const before = Math.max(variables.after ?? -1, known ?? -1);
        if (version > before && before >= 0) tell();
        variables.after = Math.max(version, before);
      },
      () => latest.current.end(),
    );
  }, [operation, id]);
}

// Calls a moment later, and once for all that was called meanwhile.
function useSoon(call: () => void): () => void {
  const latest = useRef(call);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => () => (clearTimeout(timer.current), void (timer.current = undefined)), []);
  const [soon] = useState(() => () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, 100);
  });
  return soon;
}

function Story({ order, live, stale }: { order: Order; live: boolean; stale: ReactNode }) {
  const w = useWords();
  const may = useMay();
  const { payment } = order;
  return (
    <Page
      title={`Order ${order.number}`}
      beside={
        <>
          <span role="status" className="order-state" data-status={order.status}>
            <State of={orderStates[order.status]} />
          </span>
          <span className="live" data-live={live || undefined}>
            {live ? "Live" : "Reconnecting…"}
          </span>
        </>
      }
      actions={
        <>
          {may("PAYMENTS_REFUND") && <Refund order={order} />}
          {may("ORDERS_CANCEL") && <Cancel order={order} />}
        </>
      }
    >
      {stale}
      {order.reason && (
        <Notice bad>
          {failures[order.reason]}
          {order.problems.map(({ message }) => ` · ${message}`)}
        </Notice>
      )}
      {order.cancelReason && <Notice>Called off: “{order.cancelReason}”</Notice>}
      <dl className="facts">
        <Fact name="Placed">
          <When at={order.createdAt} />
        </Fact>
        <Fact name="Customer">{order.email ? may("CUSTOMERS_READ") ? <Link href={`/customers?${new URLSearchParams({ email: order.email })}`}>{order.email}</Link> : order.email : <span className="quiet">forgotten on request</span>}</Fact>
        {order.phone && <Fact name="Telephone">{order.phone}</Fact>}
        <Fact name="Language">{order.locale}</Fact>
        {order.discountCodes.length > 0 && <Fact name="Codes">{order.discountCodes.map(({ code }) => code).join(", ")}</Fact>}
        <Fact name="Total">
          <strong>{w.price(order.totals.totalAmount)}</strong>
        </Fact>
        {payment && Number(payment.refundedAmount.amount) > 0 && <Fact name="Refunded">{w.price(payment.refundedAmount)}</Fact>}
      </dl>
      {order.note && <Notice>Note to the shop: “{order.note}”</Notice>}
      {order.attributes.length > 0 && <p className="quiet small">{order.attributes.map(({ key, value }) => `${key}: ${value ?? ""}`).join(" · ")}</p>}
      <div className="order-columns">
        <div>
          <Lines order={order} />
          <Payment order={order} />
          <Refunds order={order} />
          <Parcels order={order} />
          <Messages order={order} />
          <Facts order={order} />
        </div>
        <aside aria-label="Story, addresses and documents">
          <Timeline order={order} />
          <Addresses order={order} />
          <Papers order={order} />
          <Reservation order={order} />
        </aside>
      </div>
    </Page>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
