import { useState } from "react";
import { Link } from "wouter";
import { ask } from "../../../api/client.ts";
import { OrdersDocument, type OrdersQuery } from "../../../api/gql.ts";
import { useQuery } from "../../../api/query.ts";
import { orderPath } from "../../order.ts";
import { useForm } from "../../../ui/form.ts";
import { useTitle } from "../../page.ts";
import { Bar, Empty, Failed, Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";

const perPage = 20;

export function Orders() {
  const w = useWords();
  const a = w.account;
  const { data, error, retry } = useQuery(OrdersDocument, { first: perPage });
  const [more, setMore] = useState<OrdersQuery["orders"][]>([]);
  const pages = data ? [data.orders, ...more] : [];
  const end = pages.at(-1)?.pageInfo;
  const next = useForm(async () => {
    const { orders } = await ask(OrdersDocument, { first: perPage, after: end?.endCursor });
    setMore([...more, orders]);
    return [];
  });
  useTitle(a.orders);
  if (!data && error) return <Failed error={error} retry={retry} />;
  if (!data)
    return (
      <div aria-busy="true">
        <Bar />
        <Bar />
        <Bar />
      </div>
    );
  if (data.orders.nodes.length === 0)
    return (
      <Empty title={a.noOrders}>
        <Link href="/search" className="button">
          {w.cart.emptyHint}
        </Link>
      </Empty>
    );
  return (
    <>
      <ul>
        {pages
          .flatMap(({ nodes }) => nodes)
          .map((order) => (
            <li key={order.id}>
              <Link href={orderPath(order.id)} className="order-row">
                <span>
                  <strong>{order.number}</strong>
                  <br />
                  <span className="quiet small">
                    {w.date(order.createdAt)} · {order.lines.map(({ title }) => title).slice(0, 3).join(", ")}
                    {order.lines.length > 3 && " …"}
                  </span>
                </span>
                <span>
                  {w.order.status[order.status]}
                  <br />
                  <span className="quiet small">{w.price(order.totals.totalAmount)}</span>
                </span>
              </Link>
            </li>
          ))}
      </ul>
      {end?.hasNextPage && (
        <form className="pages" onSubmit={next.onSubmit}>
          <button type="submit" className="button" disabled={next.busy}>
            {a.more}
          </button>
          {next.wrongs[""] && <Wrong>{next.wrongs[""]}</Wrong>}
        </form>
      )}
    </>
  );
}
