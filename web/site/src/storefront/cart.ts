// The cart. A change is shown at once and sent behind it, one after another;
// what the shop refuses is taken back, and said where it happened.
import { useSyncExternalStore } from "react";
import { ask, Trouble } from "../api/client.ts";
import { device, visit } from "../api/device.ts";
import {
  CartAddDocument,
  CartBuyerDocument,
  CartCodesDocument,
  CartCreateDocument,
  CartDocument,
  CartUpdateDocument,
  type CartPartsFragment,
  type CartProblemFragment,
  type CountryCode,
  type PictureFragment,
} from "../api/gql.ts";
import { outOfPath } from "../api/ids.ts";
import { context, here } from "../words/place.ts";

export type Cart = CartPartsFragment;
export type Line = Cart["lines"]["nodes"][number];
/** What went wrong: with a code of the shop's, for the words. */
export type Problem = { code: string; message: string };

/** A variant as the page that sells it knows it, to be shown before the shop has answered. */
export type Wanted = {
  id: string;
  title: string;
  handle: string;
  image: PictureFragment | null;
  selectedOptions: { name: string; value: string }[];
  price: { amount: string; currencyCode: Cart["cost"]["totalAmount"]["currencyCode"] };
};

type Change = { wanted: Wanted; quantity: number } | { line: string; quantity: number };

export type State = {
  cart: Cart | null;
  loading: boolean; // what is in it is not known yet
  busy: boolean; // a change is under way, so that sums may still move
  open: boolean; // the drawer
  problems: Record<string, Problem>; // by line, by variant that was to be added, or under "cart"
  offered: Cart | null; // what a link leads to, where the customer has a cart already
};

const kept = "shop.cart";
const linked = "shop.cart.linked"; // of a link that was followed, until it is settled
let confirmed: Cart | null = null;
let changes: Change[] = [];
let queue: Promise<unknown> = Promise.resolve();
let working = 0;
let state: State = { cart: null, loading: !!device.get(kept), busy: false, open: false, problems: {}, offered: null };
const listeners = new Set<() => void>();

function show(change: Partial<State> = {}) {
  state = { ...state, ...change, cart: changes.reduce(apply, confirmed), busy: working > 0 };
  listeners.forEach((tell) => tell());
}

function apply(cart: Cart | null, change: Change): Cart | null {
  const nodes = cart?.lines.nodes ?? [];
  let lines: Line[];
  if ("line" in change) {
    lines = nodes.flatMap((line) => (line.id !== change.line ? [line] : change.quantity > 0 ? [{ ...line, quantity: change.quantity }] : []));
  } else {
    const { wanted, quantity } = change;
    const present = nodes.some((line) => line.merchandise.id === wanted.id);
    const cost = { subtotalAmount: wanted.price, totalAmount: wanted.price };
    lines = present
      ? nodes.map((line) => (line.merchandise.id === wanted.id ? { ...line, quantity: line.quantity + quantity } : line))
      : [
          ...nodes,
          {
            id: `new ${wanted.id}`,
            quantity,
            available: true,
            cost,
            discountAllocations: [],
            merchandise: { id: wanted.id, availableForSale: true, quantityAvailable: null, selectedOptions: wanted.selectedOptions, image: wanted.image, product: { title: wanted.title, handle: wanted.handle } },
          },
        ];
  }
  const base: Cart = cart ?? {
    id: "",
    totalQuantity: 0,
    buyerIdentity: { countryCode: null },
    discountCodes: [],
    cost: { subtotalAmount: nothing(change), totalAmount: nothing(change), totalTaxAmount: null },
    lines: { nodes: [] },
    deliveryGroups: { nodes: [] },
  };
  return { ...base, lines: { nodes: lines }, totalQuantity: lines.reduce((sum, line) => sum + line.quantity, 0) };
}

const nothing = (change: Change) => ("wanted" in change ? change.wanted.price : { amount: "0", currencyCode: "EUR" as const });

type Payload = { cart: Cart | null; userErrors: CartProblemFragment[] } | null;

// Runs one change after those before it. Whatever it comes to, `done` is
// called once with the problem or null.
function enqueue(change: Change | null, at: string, send: () => Promise<Payload>): Promise<boolean> {
  if (change) changes = [...changes, change];
  working++;
  const { [at]: _, ...problems } = state.problems;
  show({ problems });
  const result = queue.then(async () => {
    let problem: Problem | undefined;
    try {
      const payload = await send();
      if (payload?.cart) take(payload.cart);
      problem = payload?.userErrors.map(({ code, message }) => ({ code: code ?? "INVALID", message }))[0];
    } catch (error) {
      problem = problemOf(error);
    }
    changes = changes.filter((other) => other !== change);
    working--;
    show(problem ? { problems: { ...state.problems, [at]: problem } } : {});
    return !problem;
  });
  queue = result;
  return result;
}

function take(cart: Cart | null) {
  confirmed = cart;
  if (cart) device.set(kept, cart.id);
  else device.remove(kept);
}

const problemOf = (error: unknown): Problem => ({ code: error instanceof Trouble ? error.code : "INTERNAL_SERVER_ERROR", message: error instanceof Error ? error.message : String(error) });

const gone = new Set(["CART_NOT_FOUND", "CART_COMPLETED"]);

const create = async (lines: { merchandiseId: string; quantity: number }[]) => {
  const { country, language } = context();
  return (await ask(CartCreateDocument, { input: { lines }, country, language })).cartCreate;
};

/** Adds units of a variant and opens the drawer. */
export function add(wanted: Wanted, quantity: number) {
  const { line: _, ...problems } = state.problems;
  show({ open: true, problems });
  return enqueue({ wanted, quantity }, wanted.id, async () => {
    const lines = [{ merchandiseId: wanted.id, quantity }];
    const cart = cartId(); // known before what is in it is
    if (!cart) return create(lines);
    const answer = (await ask(CartAddDocument, { cart, lines })).cartLinesAdd;
    if (answer?.userErrors.some(({ code }) => code && gone.has(code))) return create(lines);
    return answer;
  });
}

/** Makes a line so many units; none removes it. */
export function setQuantity(line: string, quantity: number) {
  return enqueue({ line, quantity }, line, async () => {
    if (!confirmed) return null;
    // Of quick changes of one line only the last is worth sending.
    const later = changes.filter((change) => "line" in change && change.line === line);
    if (later.length > 1) return null;
    return (await ask(CartUpdateDocument, { cart: confirmed.id, lines: [{ id: line, quantity }] })).cartLinesUpdate;
  });
}

// Changes the discount codes on the cart from what they are when its turn has come.
function changeCodes(change: (codes: string[]) => string[]) {
  return enqueue(null, "codes", async () => {
    if (!confirmed) return null;
    const codes = change(confirmed.discountCodes.map(({ code }) => code));
    return (await ask(CartCodesDocument, { cart: confirmed.id, codes })).cartDiscountCodesUpdate;
  });
}

export const addCodes = (added: string[]) => changeCodes((codes) => [...codes, ...added.filter((code) => !codes.includes(code))]);

export const removeCode = (removed: string) => changeCodes((codes) => codes.filter((code) => code !== removed));

/** Says where the buyer is: it decides taxes and the ways to send the goods. */
export function setCountry(countryCode: CountryCode) {
  return enqueue(null, "country", async () =>
    confirmed && confirmed.buyerIdentity.countryCode !== countryCode
      ? (await ask(CartBuyerDocument, { cart: confirmed.id, buyer: { countryCode } })).cartBuyerIdentityUpdate
      : null,
  );
}

/** Asks the shop what is in the cart, as when the page opens or another window has changed it. */
export function refresh() {
  // In its turn, so that it does not bring back what a change before it has changed.
  queue = queue.then(async () => {
    const id = device.get(kept);
    if (!id) return take(null), show({ loading: false });
    try {
      const { cart } = await ask(CartDocument, { id });
      take(cart);
      const { cart: _, ...problems } = state.problems;
      show({ loading: false, problems });
      if (cart && here().country && cart.buyerIdentity.countryCode !== here().country) void setCountry(here().country!);
    } catch (error) {
      show({ loading: false, problems: { ...state.problems, cart: problemOf(error) } });
    }
  });
}

/**
 * Asks for the cart as the page begins. Where a link named another one, that is
 * taken; who has something in a cart already is asked first: see settle.
 */
export function begin(named: string | undefined) {
  if (named) visit.set(linked, outOfPath("Cart", named));
  const id = visit.get(linked);
  refresh();
  if (!id) return;
  show({ loading: true });
  queue = queue.then(async () => {
    if (device.get(kept) && !confirmed) return; // which could not be asked for: told already
    show({ loading: true });
    try {
      const { cart } = confirmed?.id === id ? { cart: confirmed } : await ask(CartDocument, { id });
      if (cart && cart.id !== confirmed?.id && confirmed?.lines.nodes.length) return show({ loading: false, offered: cart });
      visit.remove(linked);
      if (cart) replace(cart);
      else show({ problems: { ...state.problems, cart: { code: "CART_NOT_FOUND", message: "" } } });
    } catch (error) {
      show({ problems: { ...state.problems, cart: problemOf(error) } });
    }
    show({ loading: false });
  });
}

/** Answers what becomes of the offered cart: it alone, both in one, or only the customer's own. */
export function settle(how: "theirs" | "both" | "own") {
  const { offered } = state;
  show({ offered: null });
  visit.remove(linked);
  if (!offered || how === "own") return;
  if (how === "theirs" || !confirmed) {
    queue = queue.then(() => replace(offered)); // behind changes of the other one
    return;
  }
  const lines = offered.lines.nodes.map(({ merchandise, quantity }) => ({ merchandiseId: merchandise.id, quantity }));
  const own = confirmed;
  const codes = offered.discountCodes.map(({ code }) => code);
  void enqueue(null, "cart", async () => (await ask(CartAddDocument, { cart: own.id, lines })).cartLinesAdd);
  if (codes.length > 0) void addCodes(codes);
}

/** Makes this the cart, as after signing in; none, after it was bought. */
export function replace(cart: Cart | null) {
  changes = [];
  take(cart);
  show({ problems: {}, loading: false });
}

export const setOpen = (open: boolean) => show({ open });

/** The id to give to signing in and to checkout. */
export const cartId = () => confirmed?.id ?? device.get(kept) ?? undefined;

addEventListener("storage", ({ key }) => key === kept && refresh());

export const useCart = () =>
  useSyncExternalStore(
    (tell) => (listeners.add(tell), () => void listeners.delete(tell)),
    () => state,
  );

/** Whether some code on the cart makes shipping free: it counts, and takes nothing off a line. */
export const shipsFree = (cart: Cart) =>
  cart.discountCodes.some(
    ({ code, applicable }) => applicable && !cart.lines.nodes.some((line) => line.discountAllocations.some((off) => "code" in off && off.code === code)),
  );
