// One parcel, step by step; made for a hand that also holds a scanner.
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { Operation } from "../../api/client.ts";
import { inPath } from "../../api/ids.ts";
import { renew } from "../../api/query.ts";
import { Field } from "../../ui/field.tsx";
import { useForm } from "../../ui/form.ts";
import { Empty, Wrong } from "../../ui/state.tsx";
import { useAction } from "../action.ts";
import { unitsOf, useParcel, type Consignment } from "../consignment.ts";
import { useFresh } from "../fresh.ts";
import {
  ConsignmentDeliverDocument,
  ConsignmentFailDocument,
  ConsignmentOfOrderDocument,
  ConsignmentPackDocument,
  ConsignmentPickDocument,
  ConsignmentReturnDocument,
  ConsignmentsDocument,
  ConsignmentShipDocument,
  type ConsignmentOfOrderQuery,
  type ConsignmentStepFragment,
} from "../gql.ts";
import { Asked, Dialog, DialogEnd, Notice, Page, Section, State, When } from "../parts.tsx";
import { useWarehouses } from "../warehouse.ts";
import { parcelStates, trackingStates } from "../words.ts";
import "./pages.css";

type Order = NonNullable<ConsignmentOfOrderQuery["order"]>;

export function Parcel({ order: orderId, id }: { order: string; id: string }) {
  const { href } = useParcel();
  const [soon, setSoon] = useState(false);
  const answer = useFresh(ConsignmentOfOrderDocument, { orderId }, soon ? 1_500 : 6_000);
  const parcel = answer.data?.order?.fulfillments.find((one) => one.id === id);
  const booking = parcel?.status === "SHIPPING";
  if (booking !== soon) setSoon(booking);
  return (
    <Page
      title={parcel ? `Parcel ${parcel.orderNumber}` : "Parcel"}
      beside={parcel && <State of={parcelStates[parcel.status]} />}
      actions={
        <Link href={href(null)} className="button">
          Back to the list
        </Link>
      }
    >
      <Asked of={answer}>
        {({ order }) => {
          const of = order?.fulfillments.find((one) => one.id === id);
          if (!order || !of) return <Empty title="There is no such parcel" />;
          return <Steps of={of} order={order} />;
        }}
      </Asked>
    </Page>
  );
}

function Steps({ of, order }: { of: Consignment; order: Order }) {
  const { nameOf } = useWarehouses();
  const work = useRef<HTMLDivElement>(null);
  const [tracking] = of.trackingInfo;
  const first = useRef(of.status);
  useEffect(() => {
    // What was pressed is gone with the step before.
    if (first.current !== of.status && (document.activeElement ?? document.body) === document.body) work.current?.focus({ preventScroll: true });
    first.current = of.status;
  }, [of.status]);
  return (
    <div className="parcel">
      <div className="parcel-work" ref={work} tabIndex={-1} role="group" aria-label={`${of.orderNumber}: ${parcelStates[of.status][0]}`}>
        <Step key={of.status} of={of} />
      </div>
      <aside className="parcel-facts">
        <Section title="Goes to">
          <address>
            {order.shippingAddress.formatted.map((line) => (
              <div key={line}>{line}</div>
            ))}
            {order.shippingAddress.phone && <div>{order.shippingAddress.phone}</div>}
          </address>
        </Section>
        <dl className="known">
          <div>
            <dt>Order</dt>
            <dd>
              <Link href={`/orders/${inPath("Order", of.orderId)}`}>{of.orderNumber}</Link>
            </dd>
          </div>
          <div>
            <dt>Warehouse</dt>
            <dd>{nameOf(of.warehouse)}</dd>
          </div>
          <div>
            <dt>Since</dt>
            <dd>
              <When at={of.updatedAt} />
            </dd>
          </div>
          {order.shippingRate && (
            <div>
              <dt>Shipping</dt>
              <dd>{order.shippingRate.title}</dd>
            </div>
          )}
          {tracking && (
            <div>
              <dt>Carrier</dt>
              <dd>
                {tracking.company} {tracking.url ? <a href={tracking.url} rel="noreferrer">{tracking.number}</a> : tracking.number}
                {tracking.status && <span className="quiet"> · {trackingStates[tracking.status]}</span>}
              </dd>
            </div>
          )}
          {order.note && (
            <div>
              <dt>Note</dt>
              <dd>{order.note}</dd>
            </div>
          )}
        </dl>
      </aside>
    </div>
  );
}

function Step({ of }: { of: Consignment }) {
  switch (of.status) {
    case "OPEN":
      return <Pick of={of} />;
    case "PICKING":
      return <Pack of={of} />;
    case "PACKED":
      return <Ship of={of} />;
    case "SHIPPING":
      return (
        <>
          <Notice>The carrier is being asked. This page goes on by itself.</Notice>
          <Lines of={of} />
        </>
      );
    case "SHIPPED":
      return <Arrive of={of} />;
    case "DELIVERED":
    case "FAILED_DELIVERY":
      return <Return of={of} />;
    default:
      return <Lines of={of} />;
  }
}

// A step's mutation. Whatever came of it, what is shown is asked anew: somebody
// else may have been faster.
function useStep<D extends { [step: string]: ConsignmentStepFragment | null }, V>(operation: Operation<D, V>, done: string) {
  const shown = [ConsignmentsDocument, ConsignmentOfOrderDocument];
  const { busy, run, press } = useAction(operation, { problems: (data) => Object.values(data)[0]?.userErrors ?? [], done: () => done });
  const renewed = () => shown.forEach(renew);
  return {
    busy,
    run: (variables: V) => run(variables).finally(renewed),
    press: (variables: V) => press(variables).finally(renewed),
  };
}

function Lines({ of }: { of: Consignment }) {
  const packed = of.status !== "OPEN" && of.status !== "PICKING";
  return (
    <ul className="parcel-lines">
      {of.lines.map(({ sku, title, quantity, packedQuantity, returnedQuantity }) => (
        <li key={sku}>
          <span>
            <strong>{title}</strong>
            <span className="quiet">{sku}</span>
          </span>
          <span className="parcel-count">
            {packed && packedQuantity < quantity ? `${packedQuantity} of ${quantity}` : `${quantity} ×`}
            {returnedQuantity > 0 && <span className="quiet"> {returnedQuantity} back on the shelf</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Pick({ of }: { of: Consignment }) {
  const step = useStep(ConsignmentPickDocument, `${of.orderNumber}: yours to pick.`);
  return (
    <>
      <Lines of={of} />
      <button type="button" className="button button-main button-large" disabled={step.busy} onClick={() => void step.press({ id: of.id })}>
        Pick it
      </button>
    </>
  );
}

/** Units of each line, from none to all of them. */
function useCounts(of: Consignment, first: (line: Consignment["lines"][number]) => number) {
  const [counts, setCounts] = useState(() => new Map(of.lines.map((line) => [line.sku, first(line)])));
  const units = of.lines.map(({ sku }) => ({ sku, quantity: counts.get(sku) ?? 0 }));
  return { units, total: units.reduce((sum, { quantity }) => sum + quantity, 0), set: (sku: string, n: number) => setCounts(new Map(counts).set(sku, n)) };
}

function Counts({ of, counts: { units, set }, what }: { of: Consignment; counts: ReturnType<typeof useCounts>; what: string }) {
  return (
    <ul className="parcel-lines">
      {of.lines.map(({ sku, title, quantity }, i) => {
        const n = units[i]!.quantity;
        return (
          <li key={sku} data-short={n < quantity || undefined}>
            <span>
              <strong>{title}</strong>
              <span className="quiet">{sku}</span>
            </span>
            <span className="count-large" role="group" aria-label={`${title}, ${what}`}>
              <button type="button" aria-label={`One less of ${title}`} disabled={n === 0} onClick={() => set(sku, n - 1)}>
                −
              </button>
              <output aria-label={`${title}, ${what}`}>
                {n} of {quantity}
              </output>
              <button type="button" aria-label={`One more of ${title}`} disabled={n === quantity} onClick={() => set(sku, n + 1)}>
                +
              </button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Pack({ of, again }: { of: Consignment; again?: () => void }) {
  const counts = useCounts(of, ({ quantity, packedQuantity }) => (again ? packedQuantity : quantity));
  const missing = unitsOf(of) - counts.total;
  const step = useStep(ConsignmentPackDocument, missing > 0 ? `${of.orderNumber}: packed, ${missing} short.` : `${of.orderNumber}: packed.`);
  return (
    <>
      <p className="quiet">Count what you found. Less than was sold makes the parcel short; nothing is shipped before you say so.</p>
      <Counts of={of} counts={counts} what="found" />
      <button
        type="button"
        className="button button-main button-large"
        disabled={step.busy}
        onClick={async () => {
          if (await step.press({ id: of.id, packed: counts.units })) again?.();
        }}
      >
        {missing > 0 ? `Pack ${counts.total}, ${missing} missing` : `Pack all ${counts.total}`}
      </button>
      {again && (
        <button type="button" className="button button-large" onClick={again}>
          Back
        </button>
      )}
    </>
  );
}

function Ship({ of }: { of: Consignment }) {
  const [asked, ask] = useState<"carrier" | "hand">();
  const [packing, packAgain] = useState(false);
  const step = useStep(ConsignmentShipDocument, `${of.orderNumber}: handed over.`);
  const found = of.lines.reduce((sum, { packedQuantity }) => sum + packedQuantity, 0);
  const missing = of.lines.filter(({ quantity, packedQuantity }) => packedQuantity < quantity);
  const form = useForm(async ({ text }) => {
    const problems = await step.run({ id: of.id, short: of.short, tracking: { company: text("company"), number: text("number"), url: text("url") || undefined } });
    if (problems.length === 0) ask(undefined);
    return problems;
  });
  if (packing) return <Pack of={of} again={() => packAgain(false)} />;
  return (
    <>
      <Lines of={of} />
      {of.short && <Notice bad>{found === 0 ? "Nothing of it was found. Pack again when it is, or have the order called off." : "Not all of it was found. Pack again when it is, ship it short, or have the order called off."}</Notice>}
      {found > 0 && (
        <>
          <button type="button" className="button button-main button-large" disabled={step.busy} onClick={() => (of.short ? ask("carrier") : void step.press({ id: of.id, short: false }))}>
            {of.short ? "Ship it short" : "Ship with the carrier"}
          </button>
          <button type="button" className="button button-large" onClick={() => ask("hand")}>
            Handed over by hand
          </button>
        </>
      )}
      <button type="button" className="button button-large" onClick={() => packAgain(true)}>
        Count again
      </button>
      <Dialog title="Ship it short?" open={asked === "carrier"} close={() => ask(undefined)}>
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            ask(undefined);
            void step.press({ id: of.id, short: true });
          }}
        >
          <Missing of={missing} />
          <DialogEnd name="Ship it short" busy={step.busy} close={() => ask(undefined)} />
        </form>
      </Dialog>
      <Dialog title="Handed over by hand" open={asked === "hand"} close={() => ask(undefined)}>
        <form className="form" onSubmit={form.onSubmit} noValidate>
          {of.short && <Missing of={missing} />}
          <Field name="company" label="Carrier" required maxLength={100} autoComplete="off" wrong={form.wrongs["company"]} />
          <Field name="number" label="Number" required maxLength={100} autoComplete="off" wrong={form.wrongs["number"]} />
          <Field name="url" type="url" label="Address to follow it" hint="The customer is given it: https://…" autoComplete="off" wrong={form.wrongs["url"]} />
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          <DialogEnd name={of.short ? "Shipped short" : "Shipped"} busy={form.busy} close={() => ask(undefined)} />
        </form>
      </Dialog>
    </>
  );
}

const Missing = ({ of }: { of: Consignment["lines"] }) => (
  <div>
    <p>These become a further parcel, and are taken off the stock here:</p>
    <ul className="missing">
      {of.map(({ sku, title, quantity, packedQuantity }) => (
        <li key={sku}>
          {quantity - packedQuantity} × {title} <span className="quiet">{sku}</span>
        </li>
      ))}
    </ul>
  </div>
);

function Arrive({ of }: { of: Consignment }) {
  const [failing, setFailing] = useState(false);
  const deliver = useStep(ConsignmentDeliverDocument, `${of.orderNumber}: delivered.`);
  const fail = useStep(ConsignmentFailDocument, `${of.orderNumber}: not delivered.`);
  const form = useForm(async ({ text }) => {
    const problems = await fail.run({ id: of.id, reason: text("reason") || undefined });
    if (problems.length === 0) setFailing(false);
    return problems;
  });
  return (
    <>
      <Lines of={of} />
      <p className="quiet">Where the carrier tells how far it is, this goes on by itself.</p>
      <button type="button" className="button button-main button-large" disabled={deliver.busy} onClick={() => void deliver.press({ id: of.id })}>
        It has arrived
      </button>
      <button type="button" className="button button-large" onClick={() => setFailing(true)}>
        Could not be delivered
      </button>
      <Dialog title="Could not be delivered" open={failing} close={() => setFailing(false)}>
        <form className="form" onSubmit={form.onSubmit} noValidate>
          <Field name="reason" label="Why" hint="Nobody was there, the address does not exist…" maxLength={500} autoComplete="off" wrong={form.wrongs["reason"]} />
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          <DialogEnd name="Note it" busy={form.busy} close={() => setFailing(false)} />
        </form>
      </Dialog>
    </>
  );
}

function Return({ of }: { of: Consignment }) {
  const [open, setOpen] = useState(of.status === "FAILED_DELIVERY");
  const counts = useCounts(of, ({ quantity }) => quantity);
  const step = useStep(ConsignmentReturnDocument, `${of.orderNumber}: came back, ${counts.total} on the shelf.`);
  if (!open)
    return (
      <>
        <Lines of={of} />
        <button type="button" className="button button-large" onClick={() => setOpen(true)}>
          It came back
        </button>
      </>
    );
  return (
    <>
      <p>When it comes back: count what can be sold again. It goes on the shelf.</p>
      <Counts of={of} counts={counts} what="back on the shelf" />
      <button type="button" className="button button-main button-large" disabled={step.busy} onClick={() => void step.press({ id: of.id, restock: counts.units })}>
        {counts.total > 0 ? `Came back, ${counts.total} on the shelf` : "Came back, nothing to sell again"}
      </button>
    </>
  );
}
