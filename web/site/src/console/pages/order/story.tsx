import { Section, When } from "../../parts.tsx";
import { orderStates } from "../../words.ts";
import type { Order } from "./order.tsx";

const bad = new Set(["FAILED", "CANCELLED"]);

export function Timeline({ order: { timeline } }: { order: Order }) {
  return (
    <Section title="Timeline">
      <ol className="timeline">
        {timeline.map(({ at, status, cause }) => (
          <li key={`${at} ${status}`} data-status={status} data-bad={bad.has(status) || undefined}>
            <strong>{orderStates[status][0]}</strong>
            <When at={at} />
            <span className="quiet small cause">{cause}</span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

export function Addresses({ order: { shippingAddress, billingAddress } }: { order: Order }) {
  const same = shippingAddress.formatted.join() === billingAddress.formatted.join();
  const lines = (of: string[]) => (
    <address>
      {of.map((line) => (
        <div key={line}>{line}</div>
      ))}
    </address>
  );
  return (
    <>
      <Section title={same ? "Delivery and invoice to" : "Delivery to"}>{lines(shippingAddress.formatted)}</Section>
      {!same && <Section title="Invoice to">{lines(billingAddress.formatted)}</Section>}
    </>
  );
}
