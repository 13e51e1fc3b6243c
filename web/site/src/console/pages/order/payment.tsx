import { useWords } from "../../../words/index.ts";
import { Section, State, Table, When } from "../../parts.tsx";
import { paymentStates, refundStates } from "../../words.ts";
import type { Order } from "./order.tsx";

export function Payment({ order: { payment, paymentAttempts } }: { order: Order }) {
  const w = useWords();
  if (!payment) return null;
  return (
    <Section title="Payment" beside={<State of={paymentStates[payment.state]} />}>
      <p>
        {payment.card && (
          <>
            {payment.card.brand.replace(/^./, (first) => first.toUpperCase())} ending in {payment.card.last4} ·{" "}
          </>
        )}
        captured {w.price(payment.capturedAmount)}, refunded {w.price(payment.refundedAmount)}
      </p>
      {paymentAttempts && (
        <Table
          caption="Calls to the card processor"
          rows={paymentAttempts}
          keyOf={({ kind, at, key }) => `${kind} ${at} ${key}`}
          empty="The card processor was not called yet."
          columns={[
            { name: "Call", cell: ({ kind }) => kind },
            { name: "When", cell: ({ at }) => <When at={at} /> },
            { name: "Key", cell: ({ key }) => key && <span className="code quiet">{key}</span> },
            { name: "Outcome", cell: ({ outcome }) => outcome ?? <span className="quiet">not known</span> },
          ]}
        />
      )}
    </Section>
  );
}

export function Refunds({ order }: { order: Order }) {
  const w = useWords();
  if (!order.payment || (order.refunds.length === 0 && Number(order.refundableAmount.amount) === 0)) return null;
  return (
    <Section title="Refunds" beside={<span className="quiet">{w.price(order.refundableAmount)} can still be given back</span>}>
      {order.refunds.length > 0 && (
        <Table
          caption="Refunds"
          rows={order.refunds}
          keyOf={({ id }) => id}
          empty=""
          columns={[
            { name: "Asked for", cell: ({ createdAt }) => <When at={createdAt} /> },
            { name: "Status", beside: true, cell: ({ status }) => <State of={refundStates[status]} /> },
            {
              name: "Of what",
              cell: ({ lines, shippingAmount }) => [...lines.map(({ quantity, line }) => `${quantity} × ${line.title}`), ...(Number(shippingAmount.amount) > 0 ? ["shipping"] : [])].join(", ") || "an amount",
            },
            { name: "Reason", cell: ({ reason }) => reason },
            { name: "Amount", figures: true, cell: ({ amount }) => w.price(amount) },
          ]}
        />
      )}
    </Section>
  );
}
