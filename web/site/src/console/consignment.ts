// Parcels on their way out of the warehouse.
import { useLocation, useSearchParams } from "wouter";
import type { ConsignmentFragment, FulfillmentStatus } from "./gql.ts";

export type Consignment = ConsignmentFragment;

/** The states that parcels are listed by, in the order of the way. */
export const stages: FulfillmentStatus[] = ["OPEN", "PICKING", "PACKED", "SHIPPING", "SHIPPED", "FAILED_DELIVERY", "DELIVERED", "RETURNED", "CANCELLED"];

/** So many, in words. */
export const units = (n: number) => (n === 1 ? "1 unit" : `${n} units`);

export const unitsOf = ({ lines }: Consignment) => lines.reduce((units, { quantity }) => units + quantity, 0);

/** What is to be fetched for these parcels, SKU by SKU. */
export function toFetch(parcels: Consignment[]): { sku: string; title: string; quantity: number; orders: string[] }[] {
  const skus = new Map<string, { sku: string; title: string; quantity: number; orders: string[] }>();
  for (const { orderNumber, lines } of parcels)
    for (const { sku, title, quantity } of lines) {
      const known = skus.get(sku) ?? { sku, title, quantity: 0, orders: [] };
      skus.set(sku, { ...known, quantity: known.quantity + quantity, orders: [...known.orders, `${orderNumber} (${quantity})`] });
    }
  return [...skus.values()].sort((a, b) => a.sku.localeCompare(b.sku));
}

const orders = "gid://ordergraph/Order/";
const parcels = "gid://ordergraph/Fulfillment/";

/** Where a parcel is worked on. */
export const parcelPath = (to: Pick<Consignment, "orderId" | "id">) => `/picking?${new URLSearchParams({ order: to.orderId.replace(orders, ""), parcel: to.id.replace(parcels, "") })}`;

/** Which parcel the address names, and how to name another, or none: the list's own choices stay. */
export function useParcel() {
  const [params] = useSearchParams();
  const [path] = useLocation();
  const [order, parcel] = [params.get("order"), params.get("parcel")];
  const href = (to: Consignment | null) => {
    const next = new URLSearchParams(params);
    next.delete("order");
    next.delete("parcel");
    if (to) {
      next.set("order", to.orderId.replace(orders, ""));
      next.set("parcel", to.id.replace(parcels, ""));
    }
    return next.size > 0 ? `${path}?${next}` : path;
  };
  return { order: order && orders + order, parcel: parcel && parcels + parcel, href };
}
