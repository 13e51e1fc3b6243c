// One SKU: what lies where, how that came about, and counting it.
import { useState } from "react";
import { Link } from "wouter";
import { inPath, plain } from "../../api/ids.ts";
import { Choice, Field } from "../../ui/field.tsx";
import { useForm } from "../../ui/form.ts";
import { Empty, Wrong } from "../../ui/state.tsx";
import { useAction } from "../action.ts";
import { useFresh } from "../fresh.ts";
import { StockAdjustDocument, StockOfDocument, StocksDocument, type StockOfQuery, type StockPartsFragment } from "../gql.ts";
import { Asked, Page, Pager, Section, Table, useCursor, When, type Column } from "../parts.tsx";
import { useMay } from "../viewer.ts";
import { useWarehouses } from "../warehouse.ts";
import { nameOf, onHand, reserved } from "./stock.tsx";
import "./pages.css";
import "./stock.css";

type Level = StockPartsFragment["levels"][number];
type Movement = NonNullable<StockOfQuery["stock"]>["history"]["nodes"][number];

const perPage = 50;

const kinds: Record<string, string> = { adjust: "Adjusted", reserve: "Held for an order", release: "Given back by an order", commit: "Sold", restock: "Came back" };

export default function Sku({ id }: { id: string }) {
  const sku = plain(id);
  const may = useMay();
  const { after } = useCursor();
  const answer = useFresh(StockOfDocument, { sku, first: perPage, after }, 10_000);
  const { warehouses: places, nameOf: placeName } = useWarehouses();
  const levels: Column<Level>[] = [
    { name: "Warehouse", cell: ({ warehouse }) => placeName(warehouse) },
    { name: "Available", figures: true, cell: ({ available }) => available },
    { name: "Held", figures: true, cell: ({ reserved }) => reserved },
    { name: "On hand", figures: true, cell: ({ onHand }) => onHand },
    { name: "Sold", figures: true, cell: ({ sold }) => sold },
    { name: "Received", figures: true, cell: ({ received }) => received },
  ];
  const movements: Column<Movement>[] = [
    { name: "No.", cell: ({ number }) => number },
    { name: "When", cell: ({ at }) => <When at={at} /> },
    { name: "What", cell: ({ kind }) => kinds[kind] ?? kind },
    { name: "Warehouse", cell: ({ warehouse }) => placeName(warehouse) },
    { name: "On hand", figures: true, cell: ({ onHandDelta }) => <Delta of={onHandDelta} /> },
    { name: "Held", figures: true, cell: ({ reservedDelta }) => <Delta of={reservedDelta} /> },
    { name: "Why", cell: ({ reason, orderId }) => (orderId ? <Cause id={orderId} /> : reason) },
  ];
  return (
    <Page
      title={sku}
      beside={
        answer.data?.stock?.variant && (
          <span className="quiet">
            {nameOf(answer.data.stock)} · <a href={`/products/${encodeURIComponent(answer.data.stock.variant.product.handle)}`}>in the shop</a>
          </span>
        )
      }
      actions={
        <Link href="/stock" className="button">
          All stock
        </Link>
      }
    >
      <Asked of={answer}>
        {({ stock }) => (
          <div className="sku">
            <div>
              {stock ? (
                <>
                  <Section title="Where it lies" beside={<span className="quiet">{`${stock.available} available, ${reserved(stock)} held, ${onHand(stock)} on hand`}</span>}>
                    <Table caption="Warehouse by warehouse" columns={levels} rows={stock.levels} keyOf={({ warehouse }) => warehouse} empty="It lies nowhere." />
                  </Section>
                  <Section title="Ledger" beside={<span className="quiet">newest first</span>}>
                    <Table caption="What has changed it" columns={movements} rows={stock.history.nodes} keyOf={({ number }) => String(number)} empty="Nothing has changed it yet." />
                    <Pager of={stock.history.pageInfo} />
                  </Section>
                </>
              ) : (
                <Empty title="Never received">
                  <p>There was never any stock of this SKU. Capitals count.</p>
                </Empty>
              )}
            </div>
            {may("STOCK_WRITE") && places.length > 0 && (
              <aside className="panel">
                <h2>Adjust</h2>
                <Adjust sku={sku} levels={stock?.levels ?? []} places={places.map(({ id, name }) => ({ id, name }))} />
              </aside>
            )}
          </div>
        )}
      </Asked>
    </Page>
  );
}

const Cause = ({ id }: { id: string }) => {
  const may = useMay();
  return may("ORDERS_READ") ? <Link href={`/orders/${inPath("Order", id)}`}>the order</Link> : <>an order</>;
};

const Delta = ({ of }: { of: number }) =>
  of === 0 ? <span className="quiet">0</span> : <span className={of > 0 ? "delta-more" : "delta-less"}>{of > 0 ? `+${of}` : `−${-of}`}</span>;

type How = "came" | "went" | "counted";

function Adjust({ sku, levels, places }: { sku: string; levels: Level[]; places: { id: string; name: string }[] }) {
  const [how, setHow] = useState<How>("came");
  const [warehouse, setWarehouse] = useState(levels[0]?.warehouse ?? places[0]!.id);
  const [made, begin] = useState(0); // how many were made here: each begins with empty fields
  const level = levels.find((level) => level.warehouse === warehouse);
  const adjust = useAction(StockAdjustDocument, { problems: (data) => data.stockAdjust?.userErrors ?? [], done: () => `${sku}: adjusted.`, renews: [StockOfDocument, StocksDocument] });
  const form = useForm(async ({ text }) => {
    const units = Number(text("units"));
    if (!Number.isInteger(units) || units < 0 || (units === 0 && how !== "counted")) return [{ field: ["units"], message: how === "counted" ? "A whole number, please." : "A whole number above 0, please." }];
    const change = how === "counted" ? { set: units } : { delta: how === "came" ? units : -units };
    const problems = await adjust.run((idempotencyKey) => ({ input: { sku, warehouse, ...change, reason: text("reason") || undefined, idempotencyKey } }));
    if (problems.length === 0) begin(made + 1);
    return problems.map((problem) => (problem.code === "NEGATIVE" || ["delta", "set"].includes(problem.field?.at(-1) ?? "") ? { ...problem, field: ["units"] } : problem));
  });
  return (
    <form className="form" onSubmit={form.onSubmit} noValidate key={made} aria-busy={form.busy}>
      <fieldset className="choose">
        <legend className="visually-hidden">What happened</legend>
        {(
          [
            ["came", "Came in"],
            ["went", "Went out"],
            ["counted", "Counted"],
          ] as const
        ).map(([value, name]) => (
          <label key={value} className="pill">
            <input type="radio" name="how" value={value} checked={how === value} onChange={() => setHow(value)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <Choice name="warehouse" label="Warehouse" value={warehouse} onChange={({ target }) => setWarehouse(target.value)} wrong={form.wrongs["warehouse"]}>
        {places.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Choice>
      <Field
        name="units"
        label={how === "counted" ? "Units that lie there" : "Units"}
        hint={`On hand there: ${level?.onHand ?? 0}, of these held for orders: ${level?.reserved ?? 0}.`}
        inputMode="numeric"
        required
        autoComplete="off"
        wrong={form.wrongs["units"]}
      />
      <Field name="reason" label="Why" hint="For the ledger: delivery 4711, broken, yearly count…" autoComplete="off" maxLength={200} wrong={form.wrongs["reason"]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <button type="submit" className="button button-main" disabled={form.busy}>
        Adjust
      </button>
    </form>
  );
}
