import { useState } from "react";
import { ask, Trouble } from "../../../api/client.ts";
import { OrderCancelDocument, OrderDocument, type OrderPartsFragment as Order, type OrderStatus } from "../../../api/gql.ts";
import { remember } from "../../../api/query.ts";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";

const canBeCancelled = new Set<OrderStatus>(["CONFIRMED", "FULFILLING"]);

/** Calls the order off, while that can be done. */
export function Cancel({ order, token }: { order: Order; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  if (!canBeCancelled.has(order.status) && !wrong) return null;
  const cancel = async () => {
    setBusy(true);
    setWrong(undefined);
    try {
      const { orderCancel } = await ask(OrderCancelDocument, { input: { orderId: order.id, accessToken: token } });
      if (orderCancel.userErrors[0]) setWrong(w.mishap(orderCancel.userErrors[0]));
      else if (orderCancel.order) {
        const { order: cancelled } = orderCancel;
        // What was told of it meanwhile may be newer than this answer.
        remember(OrderDocument, { id: order.id, token }, { order: cancelled }, (there) => (there.order?.version ?? 0) > cancelled.version);
      }
    } catch (error) {
      setWrong(w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }));
    }
    setBusy(false);
    setSure(false);
  };
  return (
    <section aria-label={o.cancel}>
      {wrong && <Wrong>{wrong}</Wrong>}
      {sure ? (
        <div role="group" aria-label={o.cancelSure} className="form">
          <p>{o.cancelSure}</p>
          <p className="row">
            <button type="button" className="button" disabled={busy} onClick={() => void cancel()}>
              {o.cancelYes}
            </button>
            <button type="button" className="button" autoFocus onClick={() => setSure(false)}>
              {o.cancelNo}
            </button>
          </p>
        </div>
      ) : (
        canBeCancelled.has(order.status) && (
          <p>
            <button type="button" className="link" onClick={() => setSure(true)}>
              {o.cancel}
            </button>
          </p>
        )
      )}
    </section>
  );
}
