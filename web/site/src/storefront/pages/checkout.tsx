// The checkout: one page from the address to the money.
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { attempt } from "../../api/attempt.ts";
import { ask, passing, Trouble } from "../../api/client.ts";
import { AddressesDocument, CheckoutDocument, type AddressPartsFragment, type CheckoutInput, type CheckoutMutation } from "../../api/gql.ts";
import { useQuery } from "../../api/query.ts";
import { addCodes, cartId, refresh, removeCode, replace, setCountry, setQuantity, settle, shipsFree, useCart, type Cart, type Line } from "../cart.ts";
import { keepReturn, orderPath, returnPath } from "../order.ts";
import { here } from "../../words/place.ts";
import { useCustomer } from "../../api/session.ts";
import { addressIn, addressLines, AddressFields } from "../../ui/address.tsx";
import { useCountry } from "../../ui/countries.ts";
import { Field } from "../../ui/field.tsx";
import { useForm, type Problem } from "../../ui/form.ts";
import { isTest, useTitle } from "../page.ts";
import { Picture } from "../../ui/picture.tsx";
import { Bar, Empty, Failed, Wrong } from "../../ui/state.tsx";
import { plus, useWords, type Speech } from "../../words/index.ts";

// Sent again, also after a reload, it gives the same order.
const buy = (input: Omit<CheckoutInput, "idempotencyKey">, again: () => void): Promise<CheckoutMutation["checkout"]> =>
  attempt("shop.attempt", input, async (idempotencyKey) => (await ask(CheckoutDocument, { input: { ...input, idempotencyKey } })).checkout, again);

// The shop says it in English; where it says days, we say them in the
// customer's language.
function inDays(description: string | null, w: Speech): string | null {
  const found = /^(\d+)(?: to (\d+))? days?$/.exec(description ?? "");
  return found ? w.order.days(Number(found[1]), Number(found[2] ?? found[1])) : description;
}

const cardCodes = new Set(["CARD_DECLINED", "INSUFFICIENT_FUNDS", "EXPIRED_CARD", "INVALID_PAYMENT_METHOD", "PAYMENT_NOT_CONFIRMED", "PAYMENT_UNAVAILABLE"]);
const stockCodes = new Set(["OUT_OF_STOCK", "NOT_ENOUGH_STOCK", "INVALID_MERCHANDISE_LINE"]);

export default function Checkout() {
  const w = useWords();
  const { cart, loading, problems } = useCart();
  useTitle(w.checkout.title);
  if (loading)
    return (
      <div aria-busy="true">
        <h1>{w.checkout.title}</h1>
        <Bar />
        <Bar />
        <Bar />
      </div>
    );
  if (!cart && problems["cart"]) return <Failed alone error={new Trouble(problems["cart"].code, problems["cart"].message)} retry={() => refresh()} />;
  if (!cart || cart.lines.nodes.length === 0)
    return (
      <Empty alone title={w.cart.empty}>
        {problems["cart"] && <Wrong>{w.mishap(problems["cart"])}</Wrong>}
        <Link href="/search" className="button">
          {w.cart.emptyHint}
        </Link>
      </Empty>
    );
  return <Till cart={cart} />;
}

// A link has brought another cart along.
function Offered() {
  const w = useWords();
  const c = w.checkout;
  const { offered } = useCart();
  if (!offered) return null;
  return (
    <section className="panel offered" aria-labelledby="offered">
      <h2 id="offered">{c.offered}</h2>
      <p>{c.offeredText}</p>
      <ul>
        {offered.lines.nodes.map((line) => (
          <li key={line.id}>
            {line.quantity} × {line.merchandise.product.title}
          </li>
        ))}
      </ul>
      <div className="row">
        <button type="button" className="button button-main" onClick={() => settle("both")}>
          {c.offeredBoth}
        </button>
        <button type="button" className="button" onClick={() => settle("theirs")}>
          {c.offeredTheirs}
        </button>
        <button type="button" className="button" onClick={() => settle("own")}>
          {c.offeredOwn}
        </button>
      </div>
    </section>
  );
}

// What is left of a line that cannot be bought as it is, and the ways on.
function Short({ line }: { line: Line }) {
  const w = useWords();
  const { quantityAvailable: left, product, availableForSale } = line.merchandise;
  const some = availableForSale && left !== null && left > 0 && left < line.quantity;
  return (
    <>
      <Wrong>{some ? w.product.few(left) : w.product.soldOut}</Wrong>
      <span className="row">
        {some && (
          <button type="button" className="link" onClick={() => void setQuantity(line.id, left)}>
            {w.cart.take(left)}
          </button>
        )}
        <button type="button" className="link" aria-label={w.cart.removeNamed(product.title)} onClick={() => void setQuantity(line.id, 0)}>
          {w.remove}
        </button>
      </span>
    </>
  );
}

function Till({ cart }: { cart: Cart }) {
  const w = useWords();
  const c = w.checkout;
  const [, go] = useLocation();
  const { busy: moving, problems } = useCart();
  const customer = useCustomer();
  const book = useQuery(AddressesDocument, customer ? {} : null).data?.customer;
  const [picked, pick] = useState<string>();
  const [again, setAgain] = useState(false);
  const [rate, setRate] = useState<string>();
  const own = useCountry();

  const address: Partial<AddressPartsFragment> | undefined = picked === "" ? undefined : book?.addresses.nodes.find(({ id }) => id === (picked ?? book.defaultAddress?.id));
  const country = address?.countryCodeV2 ?? own;
  useEffect(() => {
    if (country) void setCountry(country);
  }, [country]);

  const options = cart.deliveryGroups.nodes[0]?.deliveryOptions ?? [];
  const option = options.find(({ handle }) => handle === rate) ?? options[0];
  const free = shipsFree(cart);
  const { cost } = cart;
  const shipping = option && !free ? option.estimatedCost : undefined;
  const total = shipping ? plus(cost.totalAmount, shipping) : cost.totalAmount;
  const short = cart.lines.nodes.some(({ available }) => !available);
  const taxIncluded = cost.totalAmount.amount === cost.subtotalAmount.amount;

  const form = useForm(async (what): Promise<Problem[]> => {
    setAgain(false);
    if (short) {
      refresh(); // it may be there again
      return [{ message: c.short }];
    }
    const input = {
      cartId: cartId() ?? cart.id,
      email: what.text("email"),
      phone: what.text("phone") || undefined,
      shippingAddress: addressIn(what),
      shippingRate: option?.handle,
      payment: { method: what.text("method"), returnUrl: location.origin + returnPath },
      locale: here().locale,
      // Where taxes are added, what they come to with the shipping is not known here.
      expectedTotal: taxIncluded ? { amount: total.amount, currencyCode: cost.totalAmount.currencyCode } : undefined,
    };
    let answer: CheckoutMutation["checkout"];
    try {
      answer = await buy(input, () => setAgain(true));
    } catch (error) {
      if (error instanceof Trouble && passing.has(error.code)) return [{ message: c.unknown }];
      throw error;
    } finally {
      setAgain(false);
    }
    const { order, accessToken, userErrors } = answer;
    if (userErrors.length > 0) {
      refresh(); // prices, stock or codes may be others now
      return userErrors.map(({ code, field, message }) =>
        code && cardCodes.has(code) ? { code, field: ["method"], message } : code && stockCodes.has(code) ? { message: c.short } : { code, field, message },
      );
    }
    if (order) {
      const path = orderPath(order.id, accessToken);
      keepReturn(path);
      replace(null);
      go(path, { replace: true });
    }
    return [];
  });

  return (
    <>
      <h1>{c.title}</h1>
      <Offered />
      <div className="columns">
        <form id="checkout" {...{ onSubmit: form.onSubmit, noValidate: true }} aria-busy={form.busy}>
          <fieldset>
            <legend>{c.contact}</legend>
            {customer ? (
              <p className="quiet small">{c.signedInAs(customer.email)}</p>
            ) : (
              <p className="quiet small">
                {c.haveAccount} <Link href="/account/sign-in?next=/checkout">{w.account.signIn}</Link>
              </p>
            )}
            <Field name="email" type="email" label={c.email} autoComplete="email" defaultValue={customer?.email ?? ""} required wrong={form.wrongs["email"]} />
            <Field name="phone" type="tel" label={c.phone} hint={c.phoneHint} autoComplete="tel" defaultValue={customer?.phone ?? ""} wrong={form.wrongs["phone"]} />
          </fieldset>
          <fieldset>
            <legend>{c.address}</legend>
            {book && book.addresses.nodes.length > 0 && (
              <div className="field">
                <label htmlFor="saved-address">{c.saved}</label>
                <select id="saved-address" value={picked ?? book.defaultAddress?.id ?? ""} onChange={(event) => pick(event.target.value)}>
                  {book.addresses.nodes.map((saved) => (
                    <option key={saved.id} value={saved.id ?? undefined}>
                      {addressLines(saved, w).join(", ")}
                    </option>
                  ))}
                  <option value="">{c.newAddress}</option>
                </select>
              </div>
            )}
            <AddressFields key={picked} of={address} wrongs={form.wrongs} section="shipping" onCountry={(code) => void setCountry(code)} />
            {problems["country"] && <Wrong>{w.mishap(problems["country"])}</Wrong>}
            <p className="quiet small">{c.billing}</p>
          </fieldset>
          <fieldset aria-busy={moving}>
            <legend>{c.shipping}</legend>
            <div className="choices">
              {options.map(({ handle, title, description, estimatedCost }) => (
                <label key={handle} className="card-choice">
                  <input type="radio" name="shippingRate" value={handle} checked={handle === option?.handle} onChange={() => setRate(handle)} />
                  <span>
                    {title}
                    <span className="quiet small">{inDays(description, w)}</span>
                  </span>
                  <span className="moving">{free || Number(estimatedCost.amount) === 0 ? c.free : w.price(estimatedCost)}</span>
                </label>
              ))}
            </div>
            {options.length === 0 && !moving && <Wrong>{c.noShipping}</Wrong>}
            {form.wrongs["shippingRate"] && <Wrong>{form.wrongs["shippingRate"]}</Wrong>}
          </fieldset>
          <fieldset>
            <legend>{c.payment}</legend>
            {isTest ? (
              <>
                <p className="test-note">{c.testNote}</p>
                <div className="choices" role="radiogroup" aria-label={c.cards} aria-invalid={form.wrongs["method"] ? true : undefined} aria-describedby={form.wrongs["method"] ? "method-wrong" : undefined}>
                  {Object.entries(c.methods).map(([method, name], i) => (
                    <label key={method} className="card-choice">
                      <input type="radio" name="method" value={method} defaultChecked={i === 0} />
                      <span>{name}</span>
                    </label>
                  ))}
                </div>
              </>
            ) : (
              <Wrong>{c.noCards}</Wrong>
            )}
            {form.wrongs["method"] && <Wrong id="method-wrong">{form.wrongs["method"]}</Wrong>}
          </fieldset>
        </form>
        <aside className="panel" aria-label={c.summary}>
          <h2>{c.summary}</h2>
          <ul className="bought">
            {cart.lines.nodes.map((line) => (
              <li key={line.id}>
                <Picture of={line.merchandise.image} alt="" />
                <span>
                  {line.quantity} × {line.merchandise.product.title}
                  {problems[line.id] && <Wrong>{w.mishap(problems[line.id]!)}</Wrong>}
                  {!line.available && <Short line={line} />}
                </span>
                <span className="moving">{w.price(line.cost.totalAmount)}</span>
              </li>
            ))}
          </ul>
          <Codes cart={cart} />
          <dl className="sums" aria-busy={moving}>
            <div>
              <dt>{w.cart.subtotal}</dt>
              <dd className="moving">{w.price(cost.subtotalAmount)}</dd>
            </div>
            {option && (
              <div>
                <dt>{c.shipping}</dt>
                <dd className="moving">{shipping && Number(shipping.amount) > 0 ? w.price(shipping) : c.free}</dd>
              </div>
            )}
            {!taxIncluded && cost.totalTaxAmount && (
              <div>
                <dt>{c.taxAdded}</dt>
                <dd className="moving">{w.price(cost.totalTaxAmount)}</dd>
              </div>
            )}
            <div className="total">
              <dt>{c.total}</dt>
              <dd className="moving">{w.price(total)}</dd>
            </div>
          </dl>
          {!taxIncluded && <p className="quiet small">{c.taxLater}</p>}
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          {Object.keys(form.wrongs).some((name) => name !== "") && <p className="wrong">{c.fix}</p>}
          <p role="status" className="small">
            {again && c.again}
          </p>
          <button type="submit" form="checkout" className="button button-main button-wide" disabled={form.busy || moving || options.length === 0 || !isTest}>
            {form.busy ? c.paying : c.pay(w.price(total))}
          </button>
        </aside>
      </div>
    </>
  );
}

function Codes({ cart }: { cart: Cart }) {
  const w = useWords();
  const { problems } = useCart();
  const codes = cart.discountCodes;
  const typed = useRef<HTMLFormElement>(null);
  const form = useForm(async ({ text }) => {
    const code = text("code");
    if (!code || !(await addCodes([code]))) return [];
    const field = typed.current?.elements.namedItem("code");
    if (field instanceof HTMLInputElement && field.value.trim() === code) field.value = ""; // not what was typed since
    return [];
  });
  return (
    <div className="form">
      {codes.length > 0 && (
        <ul className="plain-list">
          {codes.map(({ code, applicable, reason }) => (
            <li key={code}>
              <span>
                <strong>{code}</strong> {!applicable && <span className="wrong">{reason}</span>}
              </span>
              <button type="button" className="link" aria-label={w.cart.removeCode(code)} onClick={() => void removeCode(code)}>
                {w.remove}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form className="row end" ref={typed} onSubmit={form.onSubmit} noValidate>
        <Field name="code" label={w.cart.code} autoComplete="off" wrong={problems["codes"] && w.mishap(problems["codes"])} />
        <button type="submit" className="button">
          {w.cart.apply}
        </button>
      </form>
    </div>
  );
}
