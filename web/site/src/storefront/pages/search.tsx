// Lists to look through: a search, a collection, everything. All that was
// chosen stands in the address, so that reloading, going back and passing it
// on keep it.
import { useState, type FormEvent } from "react";
import { Link, useSearchParams } from "wouter";
import { CollectionDocument, ProductsDocument, type FacetFragment, type ProductCollectionSortKeys, type ProductFilter, type ProductSortKeys } from "../../api/gql.ts";
import { useQuery } from "../../api/query.ts";
import { Cards } from "../card.tsx";
import { useTitle } from "../page.ts";
import { Bar, Empty, Failed } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";
import { Missing } from "./missing.tsx";

const perPage = 24;

type Sort = "best" | "popular" | "newest" | "cheap" | "dear" | "title";

const sorts: Record<Sort, { products: ProductSortKeys; collection: ProductCollectionSortKeys; reverse: boolean }> = {
  best: { products: "RELEVANCE", collection: "COLLECTION_DEFAULT", reverse: false },
  popular: { products: "BEST_SELLING", collection: "BEST_SELLING", reverse: false },
  newest: { products: "CREATED_AT", collection: "CREATED", reverse: true },
  cheap: { products: "PRICE", collection: "PRICE", reverse: false },
  dear: { products: "PRICE", collection: "PRICE", reverse: true },
  title: { products: "TITLE", collection: "TITLE", reverse: false },
};

// Filters in the address: name=value, as one would write them.
function filtersIn(params: URLSearchParams): ProductFilter[] {
  const filters: ProductFilter[] = [];
  for (const value of params.getAll("available")) filters.push({ available: value === "true" });
  for (const value of params.getAll("vendor")) filters.push({ productVendor: value });
  for (const value of params.getAll("type")) filters.push({ productType: value });
  for (const value of params.getAll("tag")) filters.push({ tag: value });
  for (const value of params.getAll("option")) {
    const [name = "", ...rest] = value.split(":");
    filters.push({ variantOption: { name, value: rest.join(":") } });
  }
  const bound = (name: string) => {
    const n = Number.parseFloat(params.get(name) ?? "");
    return Number.isFinite(n) ? n : undefined;
  };
  const [min, max] = [bound("min"), bound("max")];
  if (min !== undefined || max !== undefined) filters.push({ price: { min, max } });
  return filters;
}

// What a facet's value is called in the address.
function paramOf(input: string): [name: string, value: string] | undefined {
  const filter = JSON.parse(input) as ProductFilter;
  if (filter.available != null) return ["available", String(filter.available)];
  if (filter.productVendor != null) return ["vendor", filter.productVendor];
  if (filter.productType != null) return ["type", filter.productType];
  if (filter.tag != null) return ["tag", filter.tag];
  if (filter.variantOption) return ["option", `${filter.variantOption.name}:${filter.variantOption.value}`];
  return undefined;
}

const filterNames = ["available", "vendor", "type", "tag", "option", "min", "max"];

export default function Search({ handle }: { handle?: string }) {
  const w = useWords();
  const [params, setParams] = useSearchParams();
  const query = params.get("q")?.slice(0, 512) ?? "";
  const sort = (params.get("sort") ?? "") in sorts ? (params.get("sort") as Sort) : query || handle ? "best" : "popular";
  const [after, before] = [params.get("after"), params.get("before")];
  const page = {
    ...(before ? { last: perPage, before } : { first: perPage, after }),
    reverse: sorts[sort].reverse,
    filters: filtersIn(params),
  };
  const inCollection = useQuery(CollectionDocument, handle ? { handle, ...page, sortKey: sorts[sort].collection } : null);
  const inAll = useQuery(ProductsDocument, handle ? null : { query, ...page, sortKey: sorts[sort].products });
  const { error, retry, loading } = handle ? inCollection : inAll;
  const collection = inCollection.data?.collection;
  const found = useLast(handle ? collection?.products : inAll.data?.products);
  const title = handle ? collection?.title : query ? w.search.results(query) : w.search.all;
  useTitle(title);

  if (handle && inCollection.data && !collection) return <Missing />;

  const change = (how: (params: URLSearchParams) => void) =>
    setParams((old) => {
      const next = new URLSearchParams(old);
      next.delete("after");
      next.delete("before");
      how(next);
      return next;
    });
  const filtered = filterNames.some((name) => params.has(name));
  const pageLink = (name: "after" | "before", cursor: string | null) => {
    const next = new URLSearchParams(params);
    next.delete("after");
    next.delete("before");
    if (cursor) next.set(name, cursor);
    return `?${next}`;
  };
  return (
    <>
      <header className="list-head">
        <h1>{title ?? <Bar width="8em" />}</h1>
        {collection ? (
          collection.description && <p className="quiet">{collection.description}</p>
        ) : (
          handle && (
            <p aria-hidden="true">
              <Bar />
              <Bar width="40%" />
            </p>
          )
        )}
      </header>
      {error && !found ? (
        <Failed error={error} retry={retry} />
      ) : (
        <div className="list">
          <Facets of={found?.filters} params={params} change={change} filtered={filtered} />
          <section aria-label={title} aria-busy={loading}>
            <div className="list-bar">
              <p role="status">{found ? w.search.count(Number(found.totalCount)) : <Bar width="6em" />}</p>
              <label>
                <span>{w.search.sort}</span>
                <select value={sort} onChange={(event) => change((next) => next.set("sort", event.target.value))}>
                  {(Object.keys(sorts) as Sort[])
                    .filter((name) => name !== "best" || query || handle)
                    .map((name) => (
                      <option key={name} value={name}>
                        {w.search.sorts[name]}
                      </option>
                    ))}
                </select>
              </label>
            </div>
            {error && <Failed error={error} retry={retry} />}
            {found?.nodes.length === 0 ? (
              <Empty title={w.search.none}>
                <p>{w.search.noneText}</p>
                {filtered && (
                  <button type="button" className="button" onClick={() => change((next) => filterNames.forEach((name) => next.delete(name)))}>
                    {w.search.clear}
                  </button>
                )}
              </Empty>
            ) : (
              <div className={loading ? "fading" : undefined}>
                <Cards of={found?.nodes} places={12} eager={4} level="h2" />
              </div>
            )}
            {found && (found.pageInfo.hasNextPage || found.pageInfo.hasPreviousPage) && (
              <nav className="pages" aria-label={w.search.pages} onClick={() => scrollTo(0, 0)}>
                {found.pageInfo.hasPreviousPage ? (
                  <Link className="button" href={pageLink("before", found.pageInfo.startCursor)}>
                    {w.search.previous}
                  </Link>
                ) : (
                  <span />
                )}
                {found.pageInfo.hasNextPage && (
                  <Link className="button" href={pageLink("after", found.pageInfo.endCursor)}>
                    {w.search.next}
                  </Link>
                )}
              </nav>
            )}
          </section>
        </div>
      )}
    </>
  );
}

// What was last there, while what comes next is being asked for.
function useLast<T>(now: T | undefined): T | undefined {
  const [last, keep] = useState(now);
  if (now !== undefined && now !== last) keep(now);
  return now ?? last;
}

type FacetsProps = { of: FacetFragment[] | undefined; params: URLSearchParams; filtered: boolean; change: (how: (params: URLSearchParams) => void) => void };

function Facets({ of, params, filtered, change }: FacetsProps) {
  const w = useWords();
  const [wide] = useState(() => matchMedia("(min-width: 60em)").matches);
  const say = (text: string) => w.search.labels[text.toLowerCase()] ?? text;
  return (
    <details className="facets" open={wide}>
      <summary>{w.search.filters}</summary>
      {!of && Array.from({ length: 6 }, (_, i) => <Bar key={i} width={`${50 + ((i * 29) % 45)}%`} />)}
      {filtered && (
        <button type="button" className="link" onClick={() => change((next) => filterNames.forEach((name) => next.delete(name)))}>
          {w.search.clear}
        </button>
      )}
      {of?.map((facet) =>
        facet.type === "PRICE_RANGE" ? (
          <PriceFacet key={facet.id} label={say(facet.label)} params={params} change={change} />
        ) : (
          <details key={facet.id} className="facet" open={facet.values.length <= 12 || params.has(paramOf(facet.values[0]?.input ?? "{}")?.[0] ?? "")}>
            <summary>{say(facet.label)}</summary>
            <ul>
              {facet.values.map(({ id, label, count, input }) => {
                const param = paramOf(input);
                if (!param) return null;
                const checked = params.getAll(param[0]).includes(param[1]);
                return (
                  <li key={id}>
                    <label className="check">
                      <input
                        type="checkbox"
                        checked={checked}
                        disabled={count === 0 && !checked}
                        onChange={() => change((next) => (checked ? next.delete(...param) : next.append(...param)))}
                      />
                      <span>{say(label)}</span> <span className="quiet small">{count}</span>
                    </label>
                  </li>
                );
              })}
            </ul>
          </details>
        ),
      )}
    </details>
  );
}

function PriceFacet({ label, params, change }: { label: string } & Pick<FacetsProps, "params" | "change">) {
  const w = useWords();
  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    change((next) => {
      for (const name of ["min", "max"]) {
        const value = String(form.get(name) ?? "").trim();
        if (value) next.set(name, value);
        else next.delete(name);
      }
    });
  };
  return (
    <form className="facet price-facet" onSubmit={apply} key={`${params.get("min")} ${params.get("max")}`}>
      <fieldset>
        <legend>{label}</legend>
        <label>
          <span className="small">{w.search.from}</span>
          <input name="min" type="number" min="0" step="any" inputMode="decimal" defaultValue={params.get("min") ?? ""} />
        </label>
        <label>
          <span className="small">{w.search.to}</span>
          <input name="max" type="number" min="0" step="any" inputMode="decimal" defaultValue={params.get("max") ?? ""} />
        </label>
        <button type="submit" className="button button-small">
          {w.search.apply}
        </button>
      </fieldset>
    </form>
  );
}
