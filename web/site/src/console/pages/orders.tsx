// All orders, which move while one looks on.
import { useEffect, useRef, useState, type FormEvent } from "react";
import { Link } from "wouter";
import { ask } from "../../api/client.ts";
import { inPath, outOfPath } from "../../api/ids.ts";
import { useQuery } from "../../api/query.ts";
import { watch } from "../../api/socket.ts";
import { useWords } from "../../words/index.ts";
import { NewerOrdersDocument, StaffOrderRowDocument, StaffOrdersDocument, type OrderFilter, type OrderRowFragment, type OrderStatus } from "../gql.ts";
import { Asked, Page, Pager, State, Table, useCursor, useEvery, useFilters, When } from "../parts.tsx";
import { moving, orderStates } from "../words.ts";

const perPage = 25; // each of them is watched while it moves
const states = Object.keys(orderStates) as OrderStatus[];

// The days in the address are those of who reads it.
function midnight(day: string | null): string | undefined {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const at = new Date(`${day}T00:00`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

function filterIn(params: URLSearchParams): OrderFilter {
  const customer = params.get("customer");
  return {
    statuses: params.getAll("state").filter((state): state is OrderStatus => state in orderStates),
    number: params.get("number") ?? undefined,
    email: params.get("email") ?? undefined,
    customerId: customer ? outOfPath("Customer", customer) : undefined,
    createdFrom: midnight(params.get("from")),
    createdBefore: midnight(params.get("before")),
  };
}

export default function Orders() {
  const { params } = useFilters();
  const { after, first } = useCursor();
  const filter = filterIn(params);
  const orders = useQuery(StaffOrdersDocument, { first: perPage, after, filter });
  return (
    <Page title="Orders" beside={<Newer filter={filter} than={first ? orders.data?.orders.nodes[0] : undefined} known={orders.data !== undefined && first} show={orders.retry} />}>
      <Filters />
      <Asked of={orders} bars={12}>
        {({ orders: { nodes, pageInfo } }) => (
          <>
            <Rows of={nodes} />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
    </Page>
  );
}

const mostNewer = 99;

// Offers what has come since, rather than to move what one reads.
function Newer({ filter, than, known, show }: { filter: OrderFilter; than: { id: string; createdAt: string } | undefined; known: boolean; show: () => void }) {
  const [count, setCount] = useState(0);
  const since = than?.id;
  useEffect(() => setCount(0), [since]);
  useEvery(4_000, async () => {
    if (!known) return;
    const { orders } = await ask(NewerOrdersDocument, { first: mostNewer + 1, filter: { ...filter, createdFrom: than?.createdAt ?? filter.createdFrom } });
    const place = orders.nodes.findIndex(({ id }) => id === since);
    setCount(place < 0 ? orders.nodes.length : place);
  });
  return (
    <div role="status">
      {known && count > 0 && (
        <button
          type="button"
          className="button button-small newer"
          onClick={() => {
            setCount(0);
            show();
            scrollTo(0, 0);
          }}
        >
          {count > mostNewer ? `More than ${mostNewer}` : count} newer {count === 1 ? "order" : "orders"}
        </button>
      )}
    </div>
  );
}

function Filters() {
  const { params, set } = useFilters();
  const [open, setOpen] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const address = params.toString();
  useEffect(() => {
    // Going back changes the address below the form.
    const now = new URLSearchParams(address);
    for (const element of form.current!.elements)
      if (element instanceof HTMLInputElement) {
        if (element.type === "checkbox") element.checked = now.getAll(element.name).includes(element.value);
        else element.value = now.get(element.name) ?? "";
      }
  }, [address]);
  const apply = () => {
    const data = new FormData(form.current!);
    const text = (name: string) => String(data.get(name) ?? "").trim();
    set({ state: data.getAll("state").map(String), number: text("number"), email: text("email"), from: text("from"), before: text("before") });
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    apply();
  };
  const names = ["state", "number", "email", "from", "before", "customer"];
  const some = names.some((name) => params.has(name));
  return (
    <form ref={form} className="filters" data-open={open || undefined} onSubmit={onSubmit} role="search" aria-label="Orders">
      <button type="button" className="button button-small filters-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        Filters{some && " (on)"}
      </button>
      <div className="filters-rest">
        <fieldset className="states" onChange={apply}>
          <legend className="visually-hidden">In one of these states</legend>
          {states.map((state) => (
            <label key={state} className="pill">
              <input type="checkbox" name="state" value={state} />
              <span>{orderStates[state][0]}</span>
            </label>
          ))}
        </fieldset>
        <div className="filter-fields">
          <label>
            <span>Number</span>
            <input name="number" autoComplete="off" spellCheck={false} placeholder="K7M2-4QXD" size={12} />
          </label>
          <label>
            <span>E-mail</span>
            <input name="email" type="text" inputMode="email" autoComplete="off" spellCheck={false} size={24} />
          </label>
          <label>
            <span>Placed from</span>
            <input name="from" type="date" />
          </label>
          <label>
            <span>Placed before</span>
            <input name="before" type="date" />
          </label>
          <button type="submit" className="button button-main">
            Find
          </button>
          {some && (
            <button type="button" className="link" onClick={() => set(Object.fromEntries(names.map((name) => [name, undefined])))}>
              Clear
            </button>
          )}
          {params.has("customer") && <span className="quiet">Of one customer only</span>}
        </div>
      </div>
    </form>
  );
}

function Rows({ of: rows }: { of: OrderRowFragment[] }) {
  const w = useWords();
  const moved = useMoves(rows);
  const now = rows.map((row) => {
    const later = moved.get(row.id);
    return later && later.version > row.version ? later : row;
  });
  return (
    <Table
      caption="Orders, newest first"
      rows={now}
      keyOf={({ id }) => id}
      empty="No orders like that."
      columns={[
        { name: "Order", cell: ({ id, number }) => <Link href={`/orders/${inPath("Order", id)}`}>{number}</Link> },
        {
          name: "Status",
          beside: true,
          cell: ({ id, status }) => (
            <span key={status} className={moved.has(id) ? "moved" : undefined}>
              <State of={orderStates[status]} />
            </span>
          ),
        },
        { name: "Placed", cell: ({ createdAt }) => <When at={createdAt} /> },
        { name: "Name", cell: ({ shippingAddress }) => shippingAddress.name },
        { name: "E-mail", cell: ({ email }) => <span className="long">{email}</span> },
        { name: "To", roomy: true, cell: ({ shippingAddress }) => shippingAddress.countryCodeV2 },
        { name: "Units", figures: true, roomy: true, cell: ({ totalQuantity }) => totalQuantity },
        { name: "Total", figures: true, cell: ({ totals }) => w.price(totals.totalAmount) },
      ]}
    />
  );
}

// What those that move have become since they were listed.
function useMoves(rows: OrderRowFragment[]): ReadonlyMap<string, OrderRowFragment> {
  const [moved, setMoved] = useState<ReadonlyMap<string, OrderRowFragment>>(new Map());
  const listed = useRef(rows);
  listed.current = rows;
  const ids = rows.map(({ id }) => id).join(" ");
  useEffect(() => {
    const leave = listed.current
      .filter(({ status }) => moving.has(status))
      .map(({ id, version }) => {
        const variables = { id, after: version };
        const stop = watch(
          StaffOrderRowDocument,
          variables,
          ({ orderStatus }) => {
            if (orderStatus.version <= variables.after) return; // told again after a break
            variables.after = orderStatus.version;
            setMoved((before) => new Map(before).set(id, orderStatus));
            if (!moving.has(orderStatus.status)) stop();
          },
          () => {},
        );
        return stop;
      });
    return () => leave.forEach((stop) => stop());
  }, [ids]);
  return moved;
}
