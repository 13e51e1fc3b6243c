import type { OrderPartsFragment as Order } from "../../../api/gql.ts";
import { useWords } from "../../../words/index.ts";

/** The money that was given back, or is about to be. */
export function Refunds({ of: { refunds, timeline } }: { of: Order }) {
  const w = useWords();
  const o = w.order;
  if (refunds.length === 0) return null;
  const calledOff = timeline.some(({ status }) => status === "CANCELLED"); // which is the reason, in the shop's own words
  return (
    <section aria-labelledby="refunds">
      <h2 id="refunds">{o.refunds}</h2>
      <ul className="plain-list">
        {refunds.map(({ id, status, amount, reason, createdAt }) => (
          <li key={id}>
            <span>
              {w.price(amount)} {reason && !calledOff && <span className="quiet small">{reason}</span>}
            </span>
            <span className="quiet small">
              {o.refundStatus[status]} · <time dateTime={createdAt}>{w.time(createdAt)}</time>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
