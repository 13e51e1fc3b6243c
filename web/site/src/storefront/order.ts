// Where an order is shown. Its address has the order's id without what all
// ids begin with, and behind # the token that shows a guest's order: browsers
// send that to nobody.
const prefix = "gid://ordergraph/Order/";

export const orderPath = (id: string, token?: string | null) => `/order/${encodeURIComponent(id.replace(prefix, ""))}${token ? `#${encodeURIComponent(token)}` : ""}`;
export const orderId = (inPath: string) => prefix + plain(inPath);
export const tokenInAddress = () => plain(location.hash.slice(1)) || undefined;

// What was mistyped or cut off stays as it is, and shows nobody's order.
function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// Where the bank sends a customer back to. The order's own address is not
// known yet when the bank is told, so this one leads on to it.
const kept = "shop.order";
export const returnPath = "/order/return";
export const keepReturn = (path: string) => sessionStorage.setItem(kept, path);
export const keptReturn = () => sessionStorage.getItem(kept);
