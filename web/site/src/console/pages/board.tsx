// What the shop is doing, as it does it.
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import type { Trouble } from "../../api/client.ts";
import { remember } from "../../api/query.ts";
import { onConnection, watch } from "../../api/socket.ts";
import { columnsOf, failures, spans, type Span } from "../activity.ts";
import { Chart } from "../chart.tsx";
import { useFresh } from "../fresh.ts";
import { DeadLettersDocument, ShopActivityDocument, ShopActivityLiveDocument, StocksDocument, type ActivityFragment, type FiguresFragment } from "../gql.ts";
import { Asked, Page, Section, Unavailable, useFilters } from "../parts.tsx";
import { useMay } from "../viewer.ts";
import { failures as reasons } from "../words.ts";
import { nameOf, skuPath } from "./stock.tsx";
import "./pages.css";
import "./board.css";

const count = (n: number) => n.toLocaleString("en-GB");
const percent = (share: number | null) => (share === null ? "–" : `${Math.round(share * 100)} %`);
const duration = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toLocaleString("en-GB", { maximumFractionDigits: ms < 10_000 ? 1 : 0 })} s`);

export default function Board() {
  const { params, set } = useFilters();
  const named = params.get("window") as Span | null;
  const span: Span = named && named in spans ? named : "1h";
  const { answer, live } = useActivity(spans[span].minutes);
  return (
    <Page
      title="Now"
      beside={
        <span className="live" data-live={live || undefined}>
          {live ? "Live" : "Asked again and again"}
        </span>
      }
      actions={
        <fieldset className="choose">
          <legend className="visually-hidden">How far back</legend>
          {(Object.keys(spans) as Span[]).map((key) => (
            <label key={key} className="pill">
              <input type="radio" name="window" checked={key === span} onChange={() => set({ window: key === "1h" ? undefined : key })} />
              <span>{spans[key].name}</span>
            </label>
          ))}
        </fieldset>
      }
    >
      <Asked of={answer} bars={10}>
        {({ shopActivity }) => <Activity of={shopActivity} />}
      </Asked>
    </Page>
  );
}

// What is watched is told every two seconds, in full: a day of it would be much
// to send so often, and does not change that fast. Longer windows are therefore
// asked for, and so are all while there is no connection.
const watched = 60;

function useActivity(minutes: number) {
  const [connected, setConnected] = useState(true);
  const [told, setTold] = useState<number>(); // the window that is told at the moment
  useEffect(() => onConnection(setConnected), []);
  useEffect(() => {
    if (minutes > watched) return;
    const end = (_?: Trouble) => setTold(undefined);
    const leave = watch(
      ShopActivityLiveDocument,
      { minutes },
      ({ shopActivity }) => {
        setTold(minutes);
        remember(ShopActivityDocument, { minutes }, { shopActivity });
      },
      end,
    );
    return () => (leave(), end());
  }, [minutes]);
  const live = connected && told === minutes;
  const answer = useFresh(ShopActivityDocument, { minutes }, live || minutes > watched ? 30_000 : 5_000);
  return { answer, live };
}

function Activity({ of }: { of: ActivityFragment }) {
  const [cursor, look] = useState<number | null>(null);
  const step = Object.values(spans).find(({ minutes }) => minutes + 1 >= of.minutes.length)?.step ?? 15;
  const columns = useMemo(() => columnsOf(of, step), [of, step]);
  const at = columns.map((column) => column.at);
  const each = (pick: (figures: FiguresFragment) => number | null) => columns.map(({ figures }) => pick(figures));
  const charts = { at, cursor, look };
  return (
    <div className="board">
      <Totals of={of.total} />
      <Chart
        {...charts}
        title={step === 1 ? "Orders per minute" : `Orders per ${step} minutes`}
        say={count}
        least={3}
        series={[
          { name: "Placed", as: "column", values: each((f) => f.placed) },
          { name: "Confirmed", as: "front", values: each((f) => f.confirmed) },
          { name: "Failed", as: "below", values: each(failures) },
        ]}
      />
      <Chart
        {...charts}
        title="From placed to confirmed"
        note={step === 1 ? undefined : `Of ${step} minutes together: the middle of their medians, and the slowest of their 99 %.`}
        say={duration}
        least={100}
        series={[
          { name: "Half within", as: "line", values: each((f) => f.confirmedWithinP50) },
          { name: "99 % within", as: "dashes", values: each((f) => f.confirmedWithinP99) },
        ]}
      />
      <Chart {...charts} title="Carts that became orders" say={percent} least={1} series={[{ name: "Conversion", as: "line", values: each((f) => f.conversion) }]} />
      <div className="attention">
        <Reasons of={of.total} />
        <Attention />
      </div>
    </div>
  );
}

function Totals({ of }: { of: FiguresFragment }) {
  const figures: [string, string][] = [
    ["Placed", count(of.placed)],
    ["Confirmed", count(of.confirmed)],
    ["Failed", count(failures(of))],
    ["Called off or refunded", count(of.cancelled)],
    ["Carts", count(of.carts)],
    ["Conversion", percent(of.conversion)],
    ["Half confirmed within", of.confirmedWithinP50 === null ? "–" : duration(of.confirmedWithinP50)],
    ["99 % within", of.confirmedWithinP99 === null ? "–" : duration(of.confirmedWithinP99)],
  ];
  return (
    <dl className="totals" aria-label="Totals">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Reasons({ of }: { of: FiguresFragment }) {
  const most = Math.max(1, ...of.failed.map(({ count }) => count));
  return (
    <Section title="Why orders failed">
      {of.failed.length === 0 ? (
        <p className="quiet">None did.</p>
      ) : (
        <ul className="reasons">
          {of.failed.map(({ reason, count: n }) => (
            <li key={reason}>
              <span>{reasons[reason]}</span>
              <strong>{count(n)}</strong>
              <span className="reason-bar" style={{ inlineSize: `${(n / most) * 100}%` }} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

const shownSoldOut = 8;

function Attention() {
  const may = useMay();
  const dead = useFresh(DeadLettersDocument, { first: 100 }, 20_000);
  const out = useFresh(StocksDocument, may("STOCK_READ") ? { first: shownSoldOut, availableAtMost: 0 } : null, 20_000);
  return (
    <>
      <Section title="Dead letters" beside={<Link href="/dead-letters">Look at them</Link>}>
        <Asked of={dead} bars={2}>
          {({ deadLetters: { nodes, pageInfo, unavailable } }) => {
            const services = new Map<string, number>();
            for (const { service } of nodes) services.set(service, (services.get(service) ?? 0) + 1);
            return (
              <>
                <Unavailable services={unavailable} />
                {nodes.length > 0 ? (
                  <p>
                    <strong>{pageInfo.hasNextPage ? `More than ${nodes.length}` : nodes.length}</strong> in {[...services].map(([service, letters]) => (services.size > 1 ? `${service} (${letters})` : service)).join(", ")}
                  </p>
                ) : (
                  unavailable.length === 0 && <p className="quiet">None.</p>
                )}
              </>
            );
          }}
        </Asked>
      </Section>
      {may("STOCK_READ") && (
        <Section title="Sold out" beside={<Link href="/stock?left=out">All of it</Link>}>
          <Asked of={out} bars={3}>
            {({ stocks: { nodes, pageInfo } }) =>
              nodes.length === 0 ? (
                <p className="quiet">Nothing is.</p>
              ) : (
                <ul className="sold-out">
                  {nodes.map((stock) => (
                    <li key={stock.sku}>
                      <Link href={skuPath(stock.sku)}>{nameOf(stock) ?? stock.sku}</Link>
                    </li>
                  ))}
                  {pageInfo.hasNextPage && <li className="quiet">and more</li>}
                </ul>
              )
            }
          </Asked>
        </Section>
      )}
    </>
  );
}
