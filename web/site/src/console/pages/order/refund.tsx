import { useId, useState, type FormEvent } from "react";
import { useForm, type Problem } from "../../../ui/form.ts";
import { Field } from "../../../ui/field.tsx";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { useAction } from "../../action.ts";
import { StaffOrderDocument, StaffRefundDocument, type StoryFragment } from "../../gql.ts";
import { Dialog, DialogEnd, Notice } from "../../parts.tsx";
import { leftOf, major, typed } from "../../sums.ts";

/** Gives money of an order back. */
export function Refund({ order }: { order: StoryFragment }) {
  const [open, setOpen] = useState(false);
  if (Number(order.refundableAmount.amount) === 0 && !open) return null;
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Refund…
      </button>
      <Dialog title={`Refund of order ${order.number}`} open={open} close={() => setOpen(false)}>
        <RefundForm order={order} close={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

const atHome = new Set(["CONFIRMED", "FULFILLING"]);

function RefundForm({ order, close }: { order: StoryFragment; close: () => void }) {
  const w = useWords();
  const id = useId();
  const [left] = useState(() => leftOf(order)); // what is shown is what is asked for, whatever happens meanwhile
  const [units, setUnits] = useState<Record<string, number>>({});
  const [shipping, setShipping] = useState(false);
  const [amount, setAmount] = useState("");
  const like = order.refundableAmount;
  const parts = left.lines.reduce((sum, { line, price }) => sum + price(units[line.id] ?? 0), shipping ? left.shipping : 0n);
  const other = amount.trim() ? typed(amount.trim(), like) : undefined;
  const sum = amount.trim() ? other : major(parts, like);
  const some = sum && Number(sum.amount) > 0;

  const { run } = useAction(StaffRefundDocument, {
    problems: ({ orderRefund }) => orderRefund.userErrors,
    done: ({ orderRefund: { refund } }) => (refund ? `${w.price(refund.amount)} ${refund.status === "SUCCEEDED" ? "are refunded" : refund.status === "FAILED" ? "were refused by the card processor" : "are on their way back"}.` : "It is on its way."),
    renews: [StaffOrderDocument],
  });
  const form = useForm(async ({ text, has }): Promise<Problem[]> => {
    if (!sum) return [{ field: ["amount"], message: `Write it like ${like.amount}.` }];
    if (!some) return [{ message: "Say what is given back: units, the shipping or an amount." }];
    const lines = left.lines.flatMap(({ line }) => (units[line.id] ? [{ lineId: line.id, quantity: units[line.id]! }] : []));
    const input = {
      orderId: order.id,
      lines,
      shipping,
      amount: { amount: sum.amount, currencyCode: sum.currencyCode },
      reason: text("reason") || undefined,
      restock: has("restock"),
    };
    const problems = await run((idempotencyKey) => ({ input: { ...input, idempotencyKey } }));
    if (problems.length === 0) close();
    // A line is named by its place among those that were sent.
    return problems.map((problem) => {
      const at = problem.field?.indexOf("lines") ?? -1;
      const line = at < 0 ? undefined : lines[Number(problem.field![at + 1])];
      return line ? { ...problem, field: [`units ${line.lineId}`] } : problem;
    });
  });
  const onInput = ({ target }: FormEvent<HTMLFormElement>) => {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.name === "amount") setAmount(target.value);
    if (target.name === "shipping") setShipping(target.checked);
    if (target.name.startsWith("units ")) {
      const n = Math.trunc(Number(target.value));
      const of = target.name.slice("units ".length);
      setUnits((before) => ({ ...before, [of]: n > 0 ? Math.min(n, Number(target.max)) : 0 }));
    }
  };
  return (
    <form className="form" onSubmit={form.onSubmit} onInput={onInput} noValidate>
      {atHome.has(order.status) && <Notice>The goods have not left the house: to give all of it back, call the order off instead.</Notice>}
      <fieldset className="refund-lines">
        <legend className="visually-hidden">Units that are given back</legend>
        {left.lines.map(({ line, units: most }, i) => {
          const name = `units ${line.id}`;
          const wrong = form.wrongs[name];
          return (
            <div key={line.id} className="refund-line">
              <label htmlFor={`${id}-${i}`}>
                {line.title} {line.variantTitle !== "Default Title" && <span className="quiet">{line.variantTitle}</span>}
                <span className="quiet small">
                  {most} of {line.quantity} left
                </span>
              </label>
              <input id={`${id}-${i}`} name={name} type="number" inputMode="numeric" min={0} max={most} step={1} defaultValue={0} disabled={most === 0} aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? `${id}-${i}-wrong` : undefined} />
              {wrong && <Wrong id={`${id}-${i}-wrong`}>{wrong}</Wrong>}
            </div>
          );
        })}
      </fieldset>
      <div>
        <label className="check">
          <input type="checkbox" name="shipping" disabled={left.shipping <= 0n} />
          <span>
            Shipping <span className="quiet">{left.shipping > 0n ? w.price(major(left.shipping, like)) : "nothing to give back"}</span>
          </span>
        </label>
        <label className="check">
          <input type="checkbox" name="restock" disabled={Object.values(units).every((n) => n === 0)} />
          <span>The units came back and can be sold again</span>
        </label>
      </div>
      <Field
        name="amount"
        label={`Another amount, in ${like.currencyCode}`}
        hint={`Units and shipping come to ${w.price(major(parts, like))}; ${w.price(like)} can still be given back.`}
        inputMode="decimal"
        autoComplete="off"
        wrong={form.wrongs["amount"]}
      />
      <Field name="reason" label="Reason, which the customer sees" maxLength={500} autoComplete="off" wrong={form.wrongs["reason"]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <DialogEnd name={some ? `Refund ${w.price(sum)}` : "Refund"} busy={form.busy} close={close} />
    </form>
  );
}
