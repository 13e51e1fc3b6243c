// What the board shows, out of what the shop tells minute by minute.
import type { ActivityFragment, FiguresFragment } from "./gql.ts";

/** How far back the board looks, and how many minutes are one column. */
export const spans = {
  "15m": { minutes: 15, step: 1, name: "15 minutes" },
  "1h": { minutes: 60, step: 1, name: "Hour" },
  "6h": { minutes: 360, step: 5, name: "6 hours" },
  "24h": { minutes: 1440, step: 15, name: "24 hours" },
} as const;

export type Span = keyof typeof spans;

/** Some minutes together. */
export type Column = { at: number; figures: FiguresFragment };

const minute = 60_000;

/**
 * The minutes in columns that begin where the clock does. A first one of which
 * a part lies before what is known is left out; the last is under way.
 */
export function columnsOf({ minutes }: ActivityFragment, step: number): Column[] {
  const columns = new Map<number, FiguresFragment[]>();
  for (const { at, figures } of minutes) {
    const begin = Math.floor(Date.parse(at) / minute / step) * step * minute;
    const column = columns.get(begin);
    if (column) column.push(figures);
    else columns.set(begin, [figures]);
  }
  const [first] = columns;
  if (first && columns.size > 1 && first[1].length < step) columns.delete(first[0]);
  return [...columns].map(([at, figures]) => ({ at, figures: together(figures) }));
}

const sum = (all: FiguresFragment[], of: (figures: FiguresFragment) => number) => all.reduce((total, figures) => total + of(figures), 0);

/** How many orders failed, for whatever reason. */
export const failures = ({ failed }: Pick<FiguresFragment, "failed">) => failed.reduce((total, { count }) => total + count, 0);

// Percentiles of several minutes cannot be had from those of each: the middle
// of their medians, each as often as orders were confirmed, and the slowest.
function together(all: FiguresFragment[]): FiguresFragment {
  if (all.length === 1) return all[0]!;
  const carts = sum(all, (f) => f.carts);
  const confirmed = sum(all, (f) => f.confirmed);
  const timed = all.filter((f) => f.confirmedWithinP50 !== null).sort((a, b) => a.confirmedWithinP50! - b.confirmedWithinP50!);
  const half = sum(timed, (f) => f.confirmed) / 2;
  let passed = 0;
  const middle = timed.find((f) => (passed += f.confirmed) >= half);
  return {
    carts,
    placed: sum(all, (f) => f.placed),
    confirmed,
    failed: all.flatMap((f) => f.failed),
    cancelled: sum(all, (f) => f.cancelled),
    conversion: carts > 0 ? confirmed / carts : null,
    confirmedWithinP50: middle?.confirmedWithinP50 ?? null,
    confirmedWithinP99: timed.length > 0 ? Math.max(...timed.map((f) => f.confirmedWithinP99 ?? 0)) : null,
  };
}
