// What is sold: found, looked at, and brought in by file.
import { useState } from "react";
import { Picture } from "../../ui/picture.tsx";
import { useWords, type Money } from "../../words/index.ts";
import { Find } from "../find.tsx";
import { useFresh } from "../fresh.ts";
import { CatalogueProductsDocument, type CatalogueProductsQuery, type ProductSortKeys } from "../gql.ts";
import { Asked, Page, Pager, Table, useCursor, useFilters, When, type Column } from "../parts.tsx";
import { Import } from "./import.tsx";
import "./pages.css";
import "./products.css";

type Product = CatalogueProductsQuery["products"]["nodes"][number];

const perPage = 40;

const sorts: Record<string, { name: string; sortKey: ProductSortKeys; reverse: boolean }> = {
  changed: { name: "Changed last", sortKey: "UPDATED_AT", reverse: true },
  new: { name: "Newest", sortKey: "CREATED_AT", reverse: true },
  title: { name: "A to Z", sortKey: "TITLE", reverse: false },
};
const best = { name: "Best match", sortKey: "RELEVANCE", reverse: false } as const;

export default function Products() {
  const w = useWords();
  const { params, set } = useFilters();
  const { after } = useCursor();
  const [importing, setImporting] = useState(false);
  const query = params.get("q") ?? "";
  const named = params.get("sort") ?? "";
  const { sortKey, reverse } = sorts[named] ?? (query ? best : sorts["changed"]!);
  const answer = useFresh(CatalogueProductsDocument, { query, sortKey, reverse, first: perPage, after }, 30_000);

  const range = (least: Money, most: Money) => (least.amount === most.amount ? w.price(least) : `${w.price(least)} – ${w.price(most)}`);
  const columns: Column<Product>[] = [
    {
      name: "Product",
      cell: ({ title, handle, featuredImage }) => (
        <span className="product-name">
          <Picture of={featuredImage} alt="" />
          <a href={`/products/${encodeURIComponent(handle)}`}>{title}</a>
        </span>
      ),
    },
    { name: "Maker", cell: ({ vendor }) => vendor },
    { name: "Kind", cell: ({ productType }) => productType },
    { name: "Variants", figures: true, cell: ({ variantsCount }) => variantsCount?.count },
    { name: "Price", figures: true, cell: ({ priceRange: { minVariantPrice, maxVariantPrice } }) => range(minVariantPrice, maxVariantPrice) },
    { name: "Stock", figures: true, cell: ({ totalInventory }) => (totalInventory === null ? <span className="quiet">not counted</span> : totalInventory === 0 ? <span className="scarce">sold out</span> : totalInventory) },
    { name: "Changed", cell: ({ updatedAt }) => <When at={updatedAt} /> },
  ];
  return (
    <Page
      title="Products"
      actions={
        <button type="button" className="button button-main" onClick={() => setImporting(true)}>
          Import a file
        </button>
      }
    >
      <div className="find-bar">
        <Find label="Words, or sku:…, vendor:…, tag:…" value={query} find={(text) => set({ q: text })} />
        <label className="sort">
          <span>Order</span>
          <select value={sorts[named] ? named : ""} onChange={({ target }) => set({ sort: target.value })}>
            <option value="">{query ? best.name : sorts["changed"]!.name}</option>
            {Object.entries(sorts)
              .filter(([key]) => query || key !== "changed")
              .map(([key, { name }]) => (
                <option key={key} value={key}>
                  {name}
                </option>
              ))}
          </select>
        </label>
      </div>
      <Asked of={answer}>
        {({ products: { nodes, pageInfo, totalCount } }) => (
          <>
            <p className="quiet list-count" role="status">
              {Number(totalCount) === 1 ? "1 product" : `${Number(totalCount).toLocaleString("en-GB")} products`}
            </p>
            <Table caption="Products" columns={columns} rows={nodes} keyOf={({ id }) => id} empty={query ? "Nothing matches." : <>There are no products yet. Import a file to begin.</>} />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
      <Import open={importing} close={() => setImporting(false)} />
    </Page>
  );
}
