import { visit } from "../api/device.ts";
import { inPath, outOfPath, plain } from "../api/ids.ts";

// Where an order is shown. Its address has the order's id without what all
// ids begin with, and behind # the token that shows a guest's order: browsers
// send that to nobody.
export const orderPath = (id: string, token?: string | null) => `/order/${inPath("Order", id)}${token ? `#${encodeURIComponent(token)}` : ""}`;
export const orderId = (part: string) => outOfPath("Order", part);
export const tokenInAddress = () => plain(location.hash.slice(1)) || undefined;

// Where the bank sends a customer back to. The order's own address is not
// known yet when the bank is told, so this one leads on to it.
const kept = "shop.order";
export const returnPath = "/order/return";
export const keepReturn = (path: string) => visit.set(kept, path);
export const keptReturn = () => visit.get(kept);
