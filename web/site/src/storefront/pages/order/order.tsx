// An order, which moves by itself while one looks on.
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { OrderDocument, OrderStatusDocument, type OrderPartsFragment as Order } from "../../../api/gql.ts";
import { remember, useQuery } from "../../../api/query.ts";
import { onConnection, watch } from "../../../api/socket.ts";
import { keptReturn, orderId, tokenInAddress } from "../../order.ts";
import { useTitle } from "../../page.ts";
import { Bar, Empty, Failed, useBackOnline } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { Story } from "./story.tsx";

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
  if (!data && error) return <Failed alone error={error} retry={retry} />;
  if (data && !order)
    return (
      <Empty alone title={w.order.missing}>
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
        remember(OrderDocument, { id, token }, { order: orderStatus }, (there) => (there.order?.version ?? 0) > orderStatus.version); // as an answer to calling it off
      },
      () => setConnected(false),
    );
  }, [there, id, token]);

  return connected;
}
