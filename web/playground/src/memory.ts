// What earlier answers told, so that the story runs without copying ids. It
// lasts as long as the browser's tab; nothing of it is kept on disk, for a
// cart's id and an order's token are secrets.

const storageKey = "ordergraph.playground.memory";

// Each fact, and the operation of the story that tells it.
const toldBy = {
  "variant.id": "Search",
  "cart.id": "Cart",
  "unpaidCart.id": "Cart",
  "checkout.key": "Cart",
  "order.id": "Checkout",
  "order.accessToken": "Checkout",
} as const;

type Fact = keyof typeof toldBy;
type Facts = Partial<Record<Fact, string>>;

// The parts of answers that are of use, under the fields' own names.
interface Told {
  products?: { nodes?: { variants?: { nodes?: { id?: string; availableForSale?: boolean }[] } }[] } | null;
  cartCreate?: { cart?: { id?: string } | null } | null;
  checkout?: { order?: { id?: string; status?: string } | null; accessToken?: string | null } | null;
}

let facts: Facts = JSON.parse(sessionStorage.getItem(storageKey) ?? "{}");

function remember(more: Facts) {
  facts = { ...facts, ...more };
  sessionStorage.setItem(storageKey, JSON.stringify(facts));
}

/** Forgets everything. */
export function forget() {
  facts = {};
  sessionStorage.removeItem(storageKey);
}

/** Keeps what the data of an answer tells. */
export function learn(data: unknown) {
  const { products, cartCreate, checkout } = (data ?? {}) as Told;

  const variants = products?.nodes?.flatMap((product) => product.variants?.nodes ?? []) ?? [];
  const variant = variants.find((v) => v.availableForSale) ?? variants[0];
  if (variant?.id) remember({ "variant.id": variant.id });

  const cart = cartCreate?.cart?.id;
  if (cart) remember({ "cart.id": cart, "unpaidCart.id": cart, "checkout.key": newKey() });

  const order = checkout?.order;
  if (order?.id) {
    remember({ "order.id": order.id, "order.accessToken": checkout?.accessToken ?? undefined });
    // The key belongs to the attempt: who tries again after a failure takes a
    // new one. A cart whose order did not fail is used up.
    remember(order.status === "FAILED" ? { "checkout.key": newKey() } : { "unpaidCart.id": undefined });
  }
}

/** Fills in what stands in double braces; throws where that is not known yet. */
export function fill<T>(value: T): T {
  if (typeof value === "string") return value.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, name: string) => recall(name)) as T;
  if (Array.isArray(value)) return value.map(fill) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, fill(v)])) as T;
}

function recall(name: string): string {
  if (!Object.hasOwn(toldBy, name)) {
    throw new Error(`Nothing fills in {{${name}}}. There are: ${Object.keys(toldBy).join(", ")}.`);
  }
  const value = facts[name as Fact];
  if (value === undefined) throw new Error(`Run the tab ${toldBy[name as Fact]} first: its answer fills in {{${name}}}.`);
  return value;
}

// crypto.randomUUID is only there for pages that came over TLS or from this
// machine.
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
