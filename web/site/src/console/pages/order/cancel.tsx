import { useState } from "react";
import { useForm } from "../../../ui/form.ts";
import { Field } from "../../../ui/field.tsx";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { useAction } from "../../action.ts";
import { StaffCancelDocument, StaffOrderDocument, type OrderStatus, type StoryFragment } from "../../gql.ts";
import { Dialog, DialogEnd } from "../../parts.tsx";
import { orderStates } from "../../words.ts";

const possible = new Set<OrderStatus>(["PENDING", "RESERVED", "PAYING", "CONFIRMED", "FULFILLING"]);

/** Calls an order off, which is harmless to repeat. */
export function Cancel({ order }: { order: StoryFragment }) {
  const [open, setOpen] = useState(false);
  if (!possible.has(order.status) && !open) return null;
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Call off…
      </button>
      <Dialog title={`Call order ${order.number} off`} open={open} close={() => setOpen(false)}>
        <CancelForm order={order} close={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function CancelForm({ order, close }: { order: StoryFragment; close: () => void }) {
  const w = useWords();
  const { run } = useAction(StaffCancelDocument, {
    problems: ({ orderCancel }) => orderCancel.userErrors,
    done: ({ orderCancel: { order } }) => (order ? `Order ${order.number}: ${orderStates[order.status][0].toLowerCase()}.` : "It is being called off."),
    renews: [StaffOrderDocument],
  });
  const form = useForm(async ({ text }) => {
    const problems = await run({ input: { orderId: order.id, reason: text("reason") } });
    if (problems.length === 0) close();
    return problems;
  });
  return (
    <form className="form" onSubmit={form.onSubmit} noValidate>
      <p>
        {order.payment ? `The goods go back into stock and all that is left of ${w.price(order.totals.totalAmount)} goes back to the customer.` : "Nothing is sold and nothing charged."} It cannot be undone.
      </p>
      <Field name="reason" label="Reason, which the customer sees" maxLength={500} wrong={form.wrongs["reason"]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <DialogEnd name="Call it off" danger busy={form.busy} close={close} />
    </form>
  );
}
