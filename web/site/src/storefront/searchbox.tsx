import { Autocomplete } from "@base-ui/react/autocomplete";
import { useEffect, useRef, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { SuggestDocument, type SuggestQuery } from "../api/gql.ts";
import { useQuery } from "../api/query.ts";
import { useWords } from "../words/index.ts";
import { Picture } from "../ui/picture.tsx";

type Suggestion = NonNullable<SuggestQuery["predictiveSearch"]>["products"][number];

const none: Suggestion[] = [];

/** The search field with suggestions while one types. */
export function SearchBox() {
  const w = useWords();
  const [path, go] = useLocation();
  const [params] = useSearchParams();
  const sought = path === "/search" ? (params.get("q") ?? "") : "";
  const [typed, type] = useState(sought);
  const [open, setOpen] = useState(false);
  useEffect(() => type(sought), [sought]);
  const place = useRef<HTMLFormElement>(null);
  const settled = useSettled(typed.trim());
  const { data } = useQuery(SuggestDocument, open && settled ? { query: settled } : null);
  const items = (settled && data?.predictiveSearch?.products) || none;

  const search = () => {
    setOpen(false);
    if (typed.trim()) go(`/search?${new URLSearchParams({ q: typed.trim() })}`);
  };
  return (
    <form
      ref={place}
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        search();
      }}
    >
      <Autocomplete.Root
        items={items}
        mode="none"
        filter={null}
        value={typed}
        onValueChange={(value, { reason }) => {
          if (reason !== "item-press") type(value);
        }}
        open={open && items.length > 0}
        onOpenChange={setOpen}
        itemToStringValue={(item: Suggestion) => item.title}
      >
        <Autocomplete.Input className="search-input" type="search" enterKeyHint="search" aria-label={w.search.label} placeholder={w.search.placeholder} autoComplete="off" onKeyDown={({ key }) => key === "Tab" && setOpen(false)} />
        <Autocomplete.Portal container={place}>
          <Autocomplete.Positioner className="suggestions-place" sideOffset={6} align="start">
            {/* The library's own popup hides all else from screen readers, links that can be reached by keyboard included. */}
            <div className="suggestions">
              <Autocomplete.Status className="visually-hidden">{w.search.suggestions(items.length)}</Autocomplete.Status>
              <Autocomplete.List aria-label={w.search.label}>
                {(item: Suggestion) => (
                  <Autocomplete.Item
                    key={item.id}
                    value={item}
                    className="suggestion"
                    onClick={() => {
                      setOpen(false);
                      go(`/products/${item.handle}`);
                    }}
                  >
                    <Picture of={item.featuredImage} alt="" />
                    <span>{item.title}</span>
                    <span className="quiet">{w.price(item.priceRange.minVariantPrice)}</span>
                  </Autocomplete.Item>
                )}
              </Autocomplete.List>
            </div>
          </Autocomplete.Positioner>
        </Autocomplete.Portal>
      </Autocomplete.Root>
      <button type="submit" className="search-button" aria-label={w.search.label}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <circle cx="8.500" cy="8.500" r="5.500" />
          <path d="m13 13 4.500 4.500" />
        </svg>
      </button>
    </form>
  );
}

// What was typed once it has stayed for a moment.
function useSettled(value: string): string {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), 150);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
