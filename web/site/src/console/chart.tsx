// Charts over time, drawn by hand. What they show can be had in four ways: as
// a picture, as values under the pointer or the arrow keys, spoken, and as a
// table. Colour never tells alone: there are sides, dashes and names as well.
import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import "./chart.css";

export type Series = {
  name: string;
  /** How it is drawn: columns above the line, narrower ones in front of them, columns below it, or lines. */
  as: "column" | "front" | "below" | "line" | "dashes";
  /** One value for each moment; null where there is none. */
  values: (number | null)[];
};

type Props = {
  title: string;
  /** What one column is, or how values of several minutes are put together. */
  note?: string;
  /** When each column begins, in milliseconds. */
  at: number[];
  series: Series[];
  say: (value: number) => string;
  /** The least that the axis reaches up to. */
  least?: number;
  /** Which column is looked at, in all charts of a page. */
  cursor: number | null;
  look: (at: number | null) => void;
};

const height = 190;
const inset = { top: 8, right: 8, bottom: 24, left: 52 };
const minute = 60_000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const timeOf = (at: number) => clock.format(at);

/** Round steps from 0 to something that holds the value: 0, 5, 10, 15. */
export function ticksUpTo(most: number, least: number): number[] {
  const top = Math.max(most, least);
  const raw = top / 3;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n >= raw * 0.999)!;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, i) => i * step);
}

/** Which moments are named on the axis: round ones of the clock, not closer than there is room. */
function named(at: number[], width: number): Set<number> {
  const span = ((at.at(-1) ?? 0) - (at[0] ?? 0)) / minute;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].find((n) => (span / n) * 62 <= width) ?? 720;
  return new Set(
    at.filter((t) => {
      const date = new Date(t);
      return (date.getHours() * 60 + date.getMinutes()) % step === 0;
    }),
  );
}

export function Chart({ title, note, at, series, say, least = 0, cursor, look }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(box.current?.clientWidth ?? 0);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const greatest = (of: Series[]) => Math.max(0, ...of.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const below = series.filter((s) => s.as === "below");
  const up = ticksUpTo(greatest(series.filter((s) => s.as !== "below")), least);
  const unit = up[1]!;
  const down = below.length > 0 ? Array.from({ length: Math.max(1, Math.ceil(greatest(below) / unit)) }, (_, i) => -(i + 1) * unit) : [];
  const top = up.at(-1)!;
  const bottom = down.at(-1) ?? 0;

  const room = { width: Math.max(0, width - inset.left - inset.right), height: height - inset.top - inset.bottom };
  const pitch = room.width / Math.max(1, at.length);
  const x = (i: number) => inset.left + (i + 0.5) * pitch;
  const y = (value: number) => inset.top + ((top - value) / (top - bottom)) * room.height;
  const names = named(at, room.width);

  const values = (i: number) => `${timeOf(at[i]!)}: ${series.map((s) => `${s.name} ${s.values[i] == null ? "–" : say(s.values[i])}`).join(", ")}`;
  const shown = cursor !== null && cursor < at.length ? cursor : at.length - 1;

  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left - inset.left;
    look(Math.min(at.length - 1, Math.max(0, Math.floor(left / pitch))));
  };
  const onKey = (event: KeyboardEvent) => {
    const to = { ArrowLeft: shown - 1, ArrowRight: shown + 1, ArrowDown: shown - 1, ArrowUp: shown + 1, PageDown: shown - 10, PageUp: shown + 10, Home: 0, End: at.length - 1 }[event.key];
    if (event.key === "Escape") look(null);
    if (to === undefined) return;
    event.preventDefault();
    look(Math.min(at.length - 1, Math.max(0, to)));
  };

  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <h2 id={id}>{title}</h2>
        <p className="chart-values" aria-hidden="true">
          <span className="chart-time">{at.length > 0 ? timeOf(at[shown]!) : ""}</span>
          {series.map((s) => (
            <span key={s.name} className="chart-key">
              <svg viewBox="0 0 16 16" className={`drawn drawn-${s.as}`}>
                {s.as === "line" || s.as === "dashes" ? <path d="M0 8h16" /> : <rect x="2" y="2" width="12" height="12" />}
              </svg>
              {s.name} <strong>{s.values[shown] == null ? "–" : say(s.values[shown])}</strong>
            </span>
          ))}
        </p>
      </figcaption>
      <div
        ref={box}
        className="chart-plot"
        role="slider"
        tabIndex={0}
        aria-label={`${title}, by time`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, at.length - 1)}
        aria-valuenow={Math.max(0, shown)}
        aria-valuetext={at.length > 0 ? values(shown) : "nothing yet"}
        onPointerMove={onPointer}
        onPointerDown={onPointer}
        onPointerLeave={() => look(null)}
        onKeyDown={onKey}
        onBlur={() => look(null)}
      >
        <svg width={width} height={height} aria-hidden="true">
          {[...up, ...down].map((value) => (
            <g key={value} className={value === 0 ? "chart-zero" : "chart-line"}>
              <path d={`M${inset.left} ${Math.round(y(value)) + 0.5}H${inset.left + room.width}`} />
              <text x={inset.left - 8} y={y(value)} dy="0.32em" textAnchor="end">
                {say(Math.abs(value))}
              </text>
            </g>
          ))}
          {at.map((t, i) =>
            names.has(t) && x(i) > 20 && x(i) < width - 20 ? (
              <text key={t} x={x(i)} y={height - 6} textAnchor="middle">
                {timeOf(t)}
              </text>
            ) : null,
          )}
          {cursor !== null && cursor < at.length && <rect className="chart-cursor" x={inset.left + cursor * pitch} y={inset.top} width={pitch} height={room.height} />}
          {width > 0 && series.map((s) => (s.as === "line" || s.as === "dashes" ? <Line key={s.name} of={s} x={x} y={y} /> : <Columns key={s.name} of={s} x={x} y={y} pitch={pitch} />))}
        </svg>
      </div>
      {note && <p className="quiet small">{note}</p>}
      <details className="chart-table">
        <summary>As a table</summary>
        <div role="region" aria-label={`${title}, as a table`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map(({ name }) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {at.map((t, i) => (
                <tr key={t}>
                  <th scope="row">{timeOf(t)}</th>
                  {series.map(({ name, values }) => (
                    <td key={name}>{values[i] == null ? "–" : say(values[i])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

type Drawn = { of: Series; x: (i: number) => number; y: (value: number) => number };

function Columns({ of, x, y, pitch }: Drawn & { pitch: number }) {
  const wide = Math.max(1, Math.min(of.as === "front" ? pitch * 0.42 : pitch * 0.78, of.as === "front" ? 14 : 26));
  const sign = of.as === "below" ? -1 : 1;
  const path = of.values.map((value, i) => (value ? `M${x(i) - wide / 2} ${y(0)}V${y(sign * value)}h${wide}V${y(0)}z` : "")).join("");
  return <path className={`drawn drawn-${of.as}`} d={path} />;
}

// A line ends where there is no value; one alone is a dot.
function Line({ of: { as, values }, x, y }: Drawn) {
  let path = "";
  const dots: [number, number][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const before = i > 0 && values[i - 1] != null;
    path += `${before ? "L" : "M"}${x(i)} ${y(value)}`;
    if (!before && values[i + 1] == null) dots.push([x(i), y(value)]);
  });
  return (
    <g className={`drawn drawn-${as}`}>
      <path d={path} />
      {dots.map(([cx, cy]) => (
        <circle key={cx} cx={cx} cy={cy} r={2.5} />
      ))}
    </g>
  );
}
