// What lies where.
import { useState } from "react";
import { Link } from "wouter";
import { Find } from "../find.tsx";
import { useFresh } from "../fresh.ts";
import { StocksDocument, type StockPartsFragment } from "../gql.ts";
import { Asked, Page, Pager, Table, useCursor, useFilters, type Column } from "../parts.tsx";
import { useMay } from "../viewer.ts";
import { useWarehouses } from "../warehouse.ts";
import { Warehouses } from "./warehouses.tsx";
import "./pages.css";
import "./stock.css";

const perPage = 50;
const most = 4; // warehouses that have a column each
const scarce = { out: 0, low: 5 }; // units that are left at most

export const onHand = ({ levels }: Pick<StockPartsFragment, "levels">) => levels.reduce((sum, { onHand }) => sum + onHand, 0);
export const reserved = ({ levels }: Pick<StockPartsFragment, "levels">) => levels.reduce((sum, { reserved }) => sum + reserved, 0);

export const skuPath = (sku: string) => `/stock/${encodeURIComponent(sku)}`;

/** What is sold under a SKU, as far as it is known. */
export const nameOf = ({ variant }: Pick<StockPartsFragment, "variant">) =>
  variant && `${variant.product.title}${variant.title === "Default Title" ? "" : `, ${variant.title}`}`;

export default function Stock() {
  const may = useMay();
  const { params, set } = useFilters();
  const { after } = useCursor();
  const [warehouses, setWarehouses] = useState(false);
  const sku = params.get("sku") ?? "";
  const left = params.get("left");
  const availableAtMost = left === "out" || left === "low" ? scarce[left] : undefined;
  const { warehouses: places, nameOf: placeName } = useWarehouses();
  const answer = useFresh(StocksDocument, { first: perPage, after, sku: availableAtMost === undefined && sku ? sku : undefined, availableAtMost }, 15_000);

  const columns: Column<StockPartsFragment>[] = [
    { name: "SKU", cell: (stock) => <Link href={skuPath(stock.sku)} className="code">{stock.sku}</Link> },
    { name: "Product", cell: (stock) => nameOf(stock) ?? <span className="quiet">not sold any more</span> },
    { name: "Available", figures: true, cell: (stock) => <span className={stock.available === 0 ? "scarce" : undefined}>{stock.available === 0 ? "sold out" : stock.available}</span> },
    { name: "Held", figures: true, cell: reserved },
    { name: "On hand", figures: true, cell: onHand },
    ...(places.length <= most
      ? places.map(({ id, name }) => ({ name, figures: true, cell: ({ levels }: StockPartsFragment) => levels.find(({ warehouse }) => warehouse === id)?.onHand ?? null }))
      : [{ name: "Where", cell: ({ levels }: StockPartsFragment) => <span className="where">{levels.filter(({ onHand }) => onHand > 0).map(({ warehouse, onHand }) => `${placeName(warehouse)} ${onHand}`).join(", ")}</span> }]),
  ];
  return (
    <Page
      title="Stock"
      actions={
        <button type="button" className="button" onClick={() => setWarehouses(true)}>
          Warehouses
        </button>
      }
    >
      <div className="find-bar">
        <Find label="SKU begins with" value={sku} find={(text) => set({ sku: text, left: undefined })} />
        <fieldset className="choose">
          <legend className="visually-hidden">How much is left</legend>
          {(
            [
              [undefined, "All"],
              ["low", `${scarce.low} or fewer`],
              ["out", "Sold out"],
            ] as const
          ).map(([value, name]) => (
            <label key={name} className="pill">
              <input type="radio" name="left" checked={(left ?? undefined) === value} onChange={() => set({ left: value, sku: undefined })} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <Asked of={answer}>
        {({ stocks: { nodes, pageInfo } }) => (
          <>
            <Table caption="Stock" columns={columns} rows={nodes} keyOf={({ sku }) => sku} empty={sku ? `No SKU begins with “${sku}”. Capitals count.` : left ? "Nothing is that scarce." : "Nothing was ever received. Products come in by file, under Products."} />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
      <Warehouses of={places} open={warehouses} close={() => setWarehouses(false)} write={may("WAREHOUSES_WRITE")} />
    </Page>
  );
}
