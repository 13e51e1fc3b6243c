// What was asked is remembered while the page is open, so that going back
// shows at once what was there; what is older than a moment is asked again
// behind it.
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ask, Trouble, type Operation } from "./client.ts";

type Entry = { data?: unknown; error?: Trouble; at: number; asking?: Promise<void> };

const fresh = 20_000;
const most = 200;
const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();

const changed = () => listeners.forEach((tell) => tell());
const listen = (tell: () => void) => (listeners.add(tell), () => void listeners.delete(tell));

const nameOf = (operation: { toString(): string }) => /query (\w+)/.exec(operation.toString())?.[1] ?? "";
const keyOf = (name: string, variables: unknown) => `${name} ${JSON.stringify(variables)}`;

/** Takes in the answers that came with the page. */
export function takeIn(answers: { name: string; variables: unknown; data: unknown }[]) {
  for (const { name, variables, data } of answers) entries.set(keyOf(name, variables), { data, at: Date.now() });
}

/** Asks a query anew, wherever it is shown. */
export function renew(operation: { toString(): string }) {
  const name = nameOf(operation);
  for (const [key, entry] of entries) if (key.startsWith(`${name} `)) entries.set(key, { ...entry, at: 0, asking: undefined });
  changed();
}

// What is the same for everybody.
const common = new Set(["Shop", "Home", "Collection", "Products", "Suggest", "Product", "Countries"]);

/** Forgets what may belong to one person, as when somebody signs in or out. */
export function forget() {
  for (const key of entries.keys()) if (!common.has(key.slice(0, key.indexOf(" ")))) entries.delete(key);
  changed();
}

function load<D, V>(key: string, operation: Operation<D, V>, variables: V) {
  const before = entries.get(key);
  const entry: Entry = { data: before?.data, at: 0 };
  entry.asking = ask(operation, variables)
    .then(
      (data) => ({ data, at: Date.now() }),
      (error: unknown) => ({ data: entry.data, error: error instanceof Trouble ? error : new Trouble("INTERNAL_SERVER_ERROR", String(error)), at: Date.now() }),
    )
    .then((next) => {
      if (entries.get(key) !== entry) return; // forgotten, or asked anew
      entries.delete(key);
      entries.set(key, next);
      for (const old of entries.keys()) {
        if (entries.size <= most) break;
        entries.delete(old);
      }
      changed();
    });
  entries.set(key, entry);
  changed();
}

export type Answer<Data> = {
  data: Data | undefined;
  error: Trouble | undefined;
  loading: boolean;
  /** Whether it is being asked at the moment, for the first time or anew. */
  asking: boolean;
  retry: () => void;
};

/** The answer to a query, kept up to date; with variables of null nothing is asked. */
export function useQuery<D, V>(operation: Operation<D, V>, variables: V | null): Answer<D> {
  const key = variables === null ? "" : keyOf(nameOf(operation), variables);
  const entry = useSyncExternalStore(listen, () => entries.get(key));
  const stale = key !== "" && !entry?.asking && (!entry || (Date.now() - entry.at > fresh && !entry.error) || entry.at === 0);
  useEffect(() => {
    if (stale && !entries.get(key)?.asking) load(key, operation, JSON.parse(key.slice(key.indexOf(" ") + 1)) as V);
  }, [stale, key, operation]);
  const retry = useCallback(() => {
    if (key === "") return;
    load(key, operation, JSON.parse(key.slice(key.indexOf(" ") + 1)) as V);
  }, [key, operation]);
  return {
    data: entry?.data as D | undefined,
    error: entry?.error,
    loading: key !== "" && entry?.data === undefined && !entry?.error,
    asking: !!entry?.asking,
    retry,
  };
}

/** Puts an answer where the query would look for it, unless what is there is newer. */
export function remember<D, V>(operation: Operation<D, V>, variables: V, data: D, newer: (there: D) => boolean = () => false) {
  const key = keyOf(nameOf(operation), variables);
  const there = entries.get(key)?.data as D | undefined;
  if (there !== undefined && newer(there)) return;
  entries.set(key, { data, at: Date.now() });
  changed();
}
