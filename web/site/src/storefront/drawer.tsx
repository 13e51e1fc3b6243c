import { Dialog } from "@base-ui/react/dialog";
import { Link } from "wouter";
import { setOpen, setQuantity, useCart, type Line } from "./cart.ts";
import { useWords } from "../words/index.ts";
import { Stepper } from "../ui/field.tsx";
import { Picture } from "../ui/picture.tsx";
import { Bar, Wrong } from "../ui/state.tsx";

/** The cart at the edge of every page. */
export function Drawer() {
  const w = useWords();
  const { cart, loading, busy, open, problems } = useCart();
  const lines = cart?.lines.nodes ?? [];
  const here = new Set(lines.map((line) => line.id).concat(lines.map((line) => line.merchandise.id)));
  const others = Object.entries(problems).filter(([at]) => at !== "codes" && at !== "country" && !here.has(at));
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Viewport className="drawer-place">
          <Dialog.Popup className="drawer">
            <header>
              <Dialog.Title>{w.cart.title}</Dialog.Title>
              <Dialog.Close className="icon-button" aria-label={w.close}>
                ×
              </Dialog.Close>
            </header>
            {others.map(([at, problem]) => (
              <Wrong key={at}>{w.mishap(problem)}</Wrong>
            ))}
            {loading ? (
              <div className="drawer-lines">
                <Bar /> <Bar /> <Bar />
              </div>
            ) : lines.length === 0 ? (
              <div className="drawer-lines">
                <p className="quiet">{w.cart.empty}</p>
                <Link href="/search" className="button" onClick={() => setOpen(false)}>
                  {w.cart.emptyHint}
                </Link>
              </div>
            ) : (
              <ul className="drawer-lines">
                {lines.map((line) => (
                  <CartLine key={line.merchandise.id} line={line} />
                ))}
              </ul>
            )}
            {cart && lines.length > 0 && (
              <footer aria-busy={busy}>
                <p className="sum">
                  <span>{w.cart.subtotal}</span>
                  <strong className="moving">{w.price(cart.cost.subtotalAmount)}</strong>
                </p>
                <p className="quiet small">{w.cart.shippingLater}</p>
                <Link href="/checkout" className="button button-main button-wide" onClick={() => setOpen(false)}>
                  {w.cart.checkout}
                </Link>
              </footer>
            )}
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function CartLine({ line }: { line: Line }) {
  const w = useWords();
  const { problems } = useCart();
  const { product, image, selectedOptions, quantityAvailable, availableForSale } = line.merchandise;
  const problem = problems[line.id] ?? problems[line.merchandise.id];
  const unconfirmed = line.id.startsWith("new ");
  return (
    <li className="line">
      <Picture of={image} alt="" />
      <div>
        <Link href={`/products/${product.handle}`} onClick={() => setOpen(false)}>
          {product.title}
        </Link>
        <p className="quiet small">{selectedOptions.filter(({ name }) => name !== "Title").map(({ value }) => value).join(", ")}</p>
        <div className="line-row">
          <Stepper label={w.cart.quantityOf(product.title)} value={line.quantity} most={quantityAvailable} disabled={unconfirmed} change={(quantity) => void setQuantity(line.id, quantity)} />
          <button type="button" className="link" aria-label={w.cart.removeNamed(product.title)} disabled={unconfirmed} onClick={() => void setQuantity(line.id, 0)}>
            {w.remove}
          </button>
          <span className="moving line-price">{w.price(line.cost.subtotalAmount)}</span>
        </div>
        {problem ? <Wrong>{w.mishap(problem)}</Wrong> : !line.available && <Wrong>{quantityAvailable && availableForSale ? w.product.few(quantityAvailable) : w.product.soldOut}</Wrong>}
      </div>
    </li>
  );
}
