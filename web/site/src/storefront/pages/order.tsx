// An order, which moves by itself while one looks on.
import { useCallback, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { ask, Trouble } from "../../api/client.ts";
import { InvoiceStatusDocument, NotificationStatusDocument, OrderCancelDocument, OrderDocument, OrderStatusDocument, type NotificationStatusSubscription, type OrderPartsFragment, type OrderStatus } from "../../api/gql.ts";
import { remember, useQuery } from "../../api/query.ts";
import { onConnection, watch } from "../../api/socket.ts";
import { keptReturn, orderId, tokenInAddress } from "../order.ts";
import { useTitle } from "../page.ts";
import { ours, Picture } from "../../ui/picture.tsx";
import { Bar, Empty, Failed, useBackOnline, Wrong } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";

type Order = OrderPartsFragment;

export default function OrderPage({ id }: { id: string }) {
  const [, go] = useLocation();
  const back = id === "return" ? keptReturn() : undefined;
  useEffect(() => {
    if (back) go(back, { replace: true });
  }, [back, go]);
  if (back) return null;
  return <Followed id={orderId(id)} token={tokenInAddress()} />;
}

function Followed({ id, token }: { id: string; token: string | undefined }) {
  const w = useWords();
  const { data, error, retry } = useQuery(OrderDocument, { id, token });
  const order = data?.order;
  const connected = useFollow(order ?? undefined, id, token);
  useTitle(order ? w.order.title(order.number) : undefined);
  useBackOnline(retry);
  if (!data && error) return <Failed error={error} retry={retry} />;
  if (data && !order)
    return (
      <Empty title={w.order.missing}>
        <p>{w.order.missingText}</p>
        <Link href={`/account/sign-in?${new URLSearchParams({ next: location.pathname })}`} className="button">
          {w.account.signIn}
        </Link>
      </Empty>
    );
  if (!order)
    return (
      <div aria-busy="true">
        <Bar width="50%" />
        <Bar />
        <Bar />
        <Bar />
      </div>
    );
  return <Story order={order} token={token} connected={connected} />;
}

// Keeps the order up to date; whether it is connected.
function useFollow(order: Order | undefined, id: string, token: string | undefined): boolean {
  const [connected, setConnected] = useState(true);
  useEffect(() => onConnection(setConnected), []);
  const there = !!order;
  useEffect(() => {
    if (!there) return;
    const variables = { id, token, after: undefined as number | undefined };
    let seen = 0;
    return watch(
      OrderStatusDocument,
      variables,
      ({ orderStatus }) => {
        if (orderStatus.version <= seen) return; // told again after a break
        variables.after = seen = orderStatus.version;
        remember(OrderDocument, { id, token }, { order: orderStatus });
      },
      () => setConnected(false),
    );
  }, [there, id, token]);

  // The invoice comes by itself, a little after the confirmation.
  const writing = there && order.timeline.some(({ status }) => status === "CONFIRMED") && !order.invoices.some(({ status }) => status === "READY");
  const refetch = useCallback(async () => {
    const { order } = await ask(OrderDocument, { id, token });
    if (order) remember(OrderDocument, { id, token }, { order });
  }, [id, token]);
  useEffect(() => {
    if (!writing) return;
    return watch(
      InvoiceStatusDocument,
      { id, token },
      ({ invoiceStatus }) => {
        if (invoiceStatus.status === "READY") refetch().catch(() => {});
      },
      () => {},
    );
  }, [writing, id, token, refetch]);
  return connected;
}

const way: OrderStatus[] = ["PENDING", "RESERVED", "PAYING", "CONFIRMED", "FULFILLING", "SHIPPED", "DELIVERED"];
const bad = new Set<OrderStatus>(["FAILED", "CANCELLED", "REFUNDED"]);

function Story({ order, token, connected }: { order: Order; token: string | undefined; connected: boolean }) {
  const w = useWords();
  const o = w.order;
  const { totals, payment, status } = order;
  const ended = bad.has(status);
  const ahead = ended ? [] : way.slice(way.indexOf(status) + 1);
  const asked = payment?.state === "ACTION_NEEDED" && payment.actionUrl;
  const failed = status === "FAILED";
  return (
    <>
      <header className="order-head">
        <p className="live" data-live={connected || undefined}>
          {connected ? o.live : o.reconnecting}
        </p>
        <h1>{failed ? o.failed : o.title(order.number)}</h1>
        <p role="status">
          <strong>{o.status[status]}</strong>
          {!failed && order.email && <span className="quiet"> · {o.mailTo(order.email)}</span>}
        </p>
      </header>
      {failed && (
        <div className="notice" role="alert">
          {order.problems.map((problem) => (
            <p className="wrong" key={problem.message}>
              {w.mishap(problem)}
            </p>
          ))}
          <p>{o.failedText}</p>
          <Link href="/checkout" className="button button-main">
            {o.tryAgain}
          </Link>
        </div>
      )}
      {asked && (
        <div className="panel" role="alert">
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
          <section aria-labelledby="timeline">
            <h2 id="timeline">{o.timeline}</h2>
            <ol className="timeline">
              {order.timeline.map(({ at, status: step }, i) => (
                <li key={`${at} ${step}`} data-bad={bad.has(step) || undefined} aria-current={i === order.timeline.length - 1 ? "step" : undefined} data-status={step}>
                  <strong>{o.status[step]}</strong>
                  <time dateTime={at}>{w.time(at)}</time>
                </li>
              ))}
              {ahead.map((step) => (
                <li key={step} data-ahead>
                  <span>{o.status[step]}</span>
                </li>
              ))}
            </ol>
          </section>
          <Parcels of={order.fulfillments} />
          <Papers order={order} token={token} />
          <Messages of={order.id} token={token} />
          <Cancel order={order} token={token} />
        </div>
        <aside className="panel">
          <h2>{o.lines}</h2>
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
              {order.shippingAddress.formatted.map((line) => (
                <div key={line}>{line}</div>
              ))}
            </address>
          </div>
        </aside>
      </div>
    </>
  );
}

function Parcels({ of }: { of: Order["fulfillments"] }) {
  const w = useWords();
  const o = w.order;
  if (of.length === 0) return null;
  return (
    <section aria-labelledby="parcels">
      <h2 id="parcels">{o.parcels}</h2>
      <ul className="plain-list">
        {of.map((parcel, i) => (
          <li key={parcel.id}>
            <span>
              {o.parcel(i + 1)}: {o.parcelStatus[parcel.status]}
            </span>
            {parcel.trackingInfo.map(({ company, number, url, status }) => (
              <span key={number} className="quiet small">
                {status && `${o.tracking[status]} · `}
                {company}{" "}
                {url ? (
                  <a href={url} rel="noreferrer">
                    {number ?? o.track}
                  </a>
                ) : (
                  number
                )}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Papers({ order, token }: { order: Order; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  if (order.invoices.length === 0) return null;
  const link = (url: string) => `${ours(url) ?? url}${token ? `?${new URLSearchParams({ token })}` : ""}`;
  return (
    <section aria-labelledby="papers">
      <h2 id="papers">{o.invoice}</h2>
      <ul className="plain-list">
        {order.invoices.map(({ id, kind, status, number, url, xmlUrl }) =>
          status === "PENDING" ? (
            <li key={id} className="quiet">
              {o.invoicePending}
            </li>
          ) : (
            <li key={id}>
              <span>
                {kind === "INVOICE" ? o.invoice : o.creditNote} {number}
              </span>
              <span className="row">
                {url && (
                  <a href={link(url)} download>
                    {o.pdf}
                  </a>
                )}
                {xmlUrl && (
                  <a href={link(xmlUrl)} download>
                    {o.xml}
                  </a>
                )}
              </span>
            </li>
          ),
        )}
      </ul>
    </section>
  );
}

// What the customer was told, which moves by itself, too. Who may see the order
// but not its messages sees none.
function Messages({ of: id, token }: { of: string; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  const [told, setTold] = useState<NotificationStatusSubscription["notificationStatus"]>();
  useEffect(() => {
    const variables = { id, token, after: undefined as number | undefined };
    return watch(
      NotificationStatusDocument,
      variables,
      ({ notificationStatus: next }) => {
        if (next.version <= (variables.after ?? -1)) return;
        variables.after = next.version;
        setTold(next);
      },
      () => {},
    );
  }, [id, token]);
  if (!told || told.notifications.length === 0) return null;
  return (
    <section aria-labelledby="messages">
      <h2 id="messages">{o.messages}</h2>
      <ul className="plain-list">
        {told.notifications.map(({ id, kind, channel, status, updatedAt }) => (
          <li key={id}>
            <span>
              {o.kinds[kind]} <span className="quiet small">{o.channels[channel]}</span>
            </span>
            <span className="quiet small">
              {o.messageStatus[status]} · <time dateTime={updatedAt}>{w.time(updatedAt)}</time>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const canBeCancelled = new Set<OrderStatus>(["CONFIRMED", "FULFILLING"]);

function Cancel({ order, token }: { order: Order; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  if (!canBeCancelled.has(order.status) && !wrong) return null;
  const cancel = async () => {
    setBusy(true);
    setWrong(undefined);
    try {
      const { orderCancel } = await ask(OrderCancelDocument, { input: { orderId: order.id, accessToken: token } });
      if (orderCancel.userErrors[0]) setWrong(w.mishap(orderCancel.userErrors[0]));
      else if (orderCancel.order) remember(OrderDocument, { id: order.id, token }, { order: orderCancel.order });
    } catch (error) {
      setWrong(w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }));
    }
    setBusy(false);
    setSure(false);
  };
  return (
    <section aria-label={o.cancel}>
      {wrong && <Wrong>{wrong}</Wrong>}
      {sure ? (
        <div role="group" aria-label={o.cancelSure} className="form">
          <p>{o.cancelSure}</p>
          <p className="row">
            <button type="button" className="button" disabled={busy} onClick={() => void cancel()}>
              {o.cancelYes}
            </button>
            <button type="button" className="button" autoFocus onClick={() => setSure(false)}>
              {o.cancelNo}
            </button>
          </p>
        </div>
      ) : (
        canBeCancelled.has(order.status) && (
          <p>
            <button type="button" className="link" onClick={() => setSure(true)}>
              {o.cancel}
            </button>
          </p>
        )
      )}
    </section>
  );
}
