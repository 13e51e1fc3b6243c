// What pages are made of.
import { Dialog as Base } from "@base-ui/react/dialog";
import { useEffect, useRef, type ReactNode } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { renew, type Answer } from "../api/query.ts";
import { Bar, Failed } from "../ui/state.tsx";
import { useWords } from "../words/index.ts";
import { ViewerDocument } from "./gql.ts";

const shop = document.title; // as the server wrote it

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} – ${shop} console`;
  }, [title]);
}

/** A page: its title, what can be done on it, and what it shows. */
export function Page({ title, beside, actions, children }: { title: string; beside?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <>
      <header className="page-head">
        <h1>{title}</h1>
        {beside}
        {actions && <div className="row page-actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** A part of a page under a heading of its own. */
export function Section({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  return (
    <section className="section" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}

/**
 * What a query says: grey bars before there is anything, what went wrong, or
 * what `children` makes of the answer. While other variables are being asked the
 * answer before stays, paler.
 */
export function Asked<Data>({ of: { data, error, retry }, bars = 8, children }: { of: Answer<Data>; bars?: number; children: (data: Data) => ReactNode }) {
  const w = useWords();
  const before = useRef<Data>(undefined);
  useEffect(() => {
    if (data !== undefined) before.current = data;
  }, [data]);
  const signedOut = error?.code === "UNAUTHENTICATED";
  useEffect(() => {
    if (signedOut) renew(ViewerDocument); // the door is shown
  }, [signedOut]);
  const [path] = useLocation();
  const { first } = useCursor();
  const shown = data ?? (error ? undefined : before.current);
  if (shown === undefined && error)
    return (
      <>
        <Failed error={error} retry={retry} />
        {!first && <Link href={path}>To the first page</Link>}
      </>
    );
  if (shown === undefined)
    return (
      <div className="bars" role="status" aria-busy="true">
        <span className="visually-hidden">{w.loading}</span>
        {Array.from({ length: bars }, (_, i) => (
          <Bar key={i} />
        ))}
      </div>
    );
  return (
    <>
      {error && (
        <Notice bad>
          {w.mishap(error)} What you see may be out of date.{" "}
          <button type="button" className="link" onClick={retry}>
            {w.retry}
          </button>
        </Notice>
      )}
      <div className={data === undefined ? "asked fading" : "asked"} aria-busy={data === undefined}>
        {children(shown)}
      </div>
    </>
  );
}

/** A sentence in a box, which stays. */
export const Notice = ({ bad, children }: { bad?: boolean; children: ReactNode }) => (
  <p className="box" data-bad={bad || undefined} role={bad ? "alert" : undefined}>
    {children}
  </p>
);

/** The services without whom a list is not whole. */
export const Unavailable = ({ services }: { services: string[] }) =>
  services.length > 0 && <Notice bad>{services.join(", ")} could not be asked: what {services.length === 1 ? "it has" : "they have"} is missing here.</Notice>;

export type Column<Row> = {
  name: string;
  cell: (row: Row) => ReactNode;
  /** Figures, which stand at the end. */
  figures?: boolean;
  /** What it holds needs no heading, such as buttons; it is told to who cannot see it. */
  plain?: boolean;
  /** On a phone it stands beside what the row is called, without its heading. */
  beside?: boolean;
  /** On a phone it is left out. */
  roomy?: boolean;
};

/**
 * Rows of things, the first column being what each is called by. On a phone
 * every row is a card. `empty` is shown in the place of no rows.
 */
export function Table<Row>({ caption, columns, rows, keyOf, empty }: { caption: string; columns: Column<Row>[]; rows: readonly Row[]; keyOf: (row: Row) => string; empty: ReactNode }) {
  if (rows.length === 0) return <div className="empty quiet">{empty}</div>;
  // The roles are those that the elements have; as cards they would lose them.
  return (
    <table role="table" className="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, figures, plain, roomy }) => (
            <th key={name} role="columnheader" scope="col" data-figures={figures || undefined} data-roomy={roomy || undefined}>
              {plain ? <span className="visually-hidden">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map(({ name, cell, figures, plain, beside, roomy }, i) =>
              i === 0 ? (
                <th key={name} role="rowheader" scope="row">
                  {cell(row)}
                </th>
              ) : (
                <td key={name} role="cell" data-name={plain || beside ? undefined : name} data-figures={figures || undefined} data-beside={beside || undefined} data-roomy={roomy || undefined}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const furthest = 50; // pages that one can go back from by its link

/**
 * Which page of a list is shown. It stands in the address, as `after`: the
 * cursors of the pages that led here, the last being this one's. Reloading and
 * going back therefore keep it.
 */
export function useCursor() {
  const [params] = useSearchParams();
  const cursors = params.getAll("after");
  return { after: cursors.at(-1), first: cursors.length === 0 };
}

/** Leads to the next page of a list, and back. What changes what is listed takes `after` out of the address: see useFilters. */
export function Pager({ of: { hasNextPage, endCursor } }: { of: { hasNextPage: boolean; endCursor: string | null } }) {
  const [path] = useLocation();
  const [params] = useSearchParams();
  const cursors = params.getAll("after");
  if (cursors.length === 0 && !hasNextPage) return null;
  const at = (next: string[]) => {
    const to = new URLSearchParams(params);
    to.delete("after");
    for (const cursor of next.slice(-furthest)) to.append("after", cursor);
    return to.size ? `${path}?${to}` : path;
  };
  return (
    <nav className="pager" aria-label="Pages">
      {cursors.length > 0 && (
        <>
          <Link href={at([])} className="button button-small">
            First
          </Link>
          <Link href={at(cursors.slice(0, -1))} className="button button-small">
            Previous
          </Link>
        </>
      )}
      <span className="quiet">Page {cursors.length + 1}</span>
      {hasNextPage && endCursor && (
        <Link href={at([...cursors, endCursor])} className="button button-small">
          Next
        </Link>
      )}
    </nav>
  );
}

/** Filters in the address. Setting them leads to the first page of what they list, and can be gone back from. */
export function useFilters() {
  const [params, setParams] = useSearchParams();
  const set = (change: Record<string, string | string[] | undefined>) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      next.delete("after");
      for (const [name, value] of Object.entries(change)) {
        next.delete(name);
        for (const one of [value ?? []].flat()) if (one !== "") next.append(name, one);
      }
      return next;
    });
  return { params, set };
}

export type Tone = "good" | "bad" | "warn" | "busy" | "quiet";

/** A state in a word. */
export const Tag = ({ tone = "quiet", children }: { tone?: Tone; children: ReactNode }) => (
  <span className="state" data-tone={tone}>
    {children}
  </span>
);

/** A state by its name, out of a table of words.ts. */
export const State = ({ of: [name, tone] }: { of: [name: string, tone: Tone] }) => <Tag tone={tone}>{name}</Tag>;

const sameDay = (a: Date, b: Date) => a.toDateString() === b.toDateString();
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const year = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** A moment, as short as it is clear: today the time, this year the day and the time, before that the day. */
export function When({ at }: { at: string }) {
  const then = new Date(at);
  const now = new Date();
  const format = sameDay(then, now) ? clock : then.getFullYear() === now.getFullYear() ? day : year;
  return (
    <time dateTime={at} title={then.toLocaleString("en-GB")}>
      {format.format(then)}
    </time>
  );
}

/** Something over the page that wants an answer. What is in it begins anew each time it is opened. */
export function Dialog({ title, open, close, children }: { title: string; open: boolean; close: () => void; children: ReactNode }) {
  const w = useWords();
  const popup = useRef<HTMLDivElement>(null);
  const field = () => popup.current?.querySelector<HTMLElement>("input:not(:disabled), select, textarea") ?? null;
  return (
    <Base.Root open={open} onOpenChange={(open) => open || close()}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Viewport className="dialog-place">
          <Base.Popup ref={popup} className="dialog" initialFocus={(by) => (by === "touch" ? null : field())}>
            <header>
              <Base.Title>{title}</Base.Title>
              <Base.Close className="icon-button" aria-label={w.close}>
                ×
              </Base.Close>
            </header>
            {children}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

/** The end of a form in a dialog: do it, or do not. */
export const DialogEnd = ({ name, busy, danger, close }: { name: string; busy: boolean; danger?: boolean; close: () => void }) => (
  <div className="dialog-end">
    <button type="button" className="button" onClick={close}>
      Back
    </button>
    <button type="submit" className={danger ? "button button-danger" : "button button-main"} disabled={busy}>
      {name}
    </button>
  </div>
);

/** Calls every so often, one call after the other, while the page can be seen and the network is there. */
export function useEvery(milliseconds: number, call: () => Promise<unknown>) {
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => {
    let left = false;
    let timer: ReturnType<typeof setTimeout>;
    const next = () => {
      timer = setTimeout(async () => {
        if (!document.hidden && navigator.onLine) await latest.current().catch(() => {}); // asked again soon
        if (!left) next();
      }, milliseconds);
    };
    next();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [milliseconds]);
}
