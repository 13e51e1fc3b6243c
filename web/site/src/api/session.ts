// Who is signed in. The session itself is in cookies that no script can read;
// what is kept here is only when it has to be renewed.
import { useEffect, useSyncExternalStore } from "react";
import { askNow, beforeAsking } from "./client.ts";
import { MeDocument, RenewDocument, SignInDocument, SignOutDocument, type CartPartsFragment, type CustomerPartsFragment, type CustomerProblemFragment } from "./gql.ts";
import { device } from "./device.ts";
import { forget, useQuery } from "./query.ts";
import { hangUp } from "./socket.ts";

const kept = "shop.session"; // when the access token ends, and the session
type Ends = { access: number; session: number };

function ends(): Ends | null {
  try {
    return JSON.parse(device.get(kept) ?? "null");
  } catch {
    return null;
  }
}

function keep(token: { expiresAt: string; refreshExpiresAt: string } | null) {
  if (token) device.set(kept, JSON.stringify({ access: Date.parse(token.expiresAt), session: Date.parse(token.refreshExpiresAt) }));
  else device.remove(kept);
  listeners.forEach((tell) => tell());
}

const listeners = new Set<() => void>();
const listen = (tell: () => void) => (listeners.add(tell), () => void listeners.delete(tell));

/** Whether somebody is believed to be signed in on this device. */
export const believed = () => (ends()?.session ?? 0) > Date.now();

/** The same, for as long as it is shown. */
export const useBelieved = () => useSyncExternalStore(listen, believed);

let renewing: Promise<void> | undefined;

async function renew() {
  const due = () => {
    const known = ends();
    return known !== null && known.access - Date.now() < 60_000;
  };
  if (!due()) return;
  // One window renews for all of them.
  const once = async () => {
    if (!due()) return;
    try {
      const { customerAccessTokenRenew: answer } = await askNow(RenewDocument, {});
      keep(answer?.customerAccessToken ?? null);
      if (!answer?.customerAccessToken) forget();
    } catch {
      // Not told: the session may be as good as ever, and is renewed next time.
    }
  };
  await (navigator.locks ? navigator.locks.request("shop.session", once) : once());
}

beforeAsking(() => (renewing ??= renew().finally(() => (renewing = undefined))));

export async function signIn(email: string, password: string, cartId: string | undefined) {
  const { customerAccessTokenCreate: answer } = await askNow(SignInDocument, { input: { email, password, cookie: true, cartId } });
  if (answer?.customerAccessToken) {
    keep(answer.customerAccessToken);
    hangUp();
    forget();
  }
  return { cart: (answer?.cart ?? null) as CartPartsFragment | null, signedIn: !!answer?.customerAccessToken, problems: (answer?.customerUserErrors ?? []) as CustomerProblemFragment[] };
}

export async function signOut() {
  await askNow(SignOutDocument, {});
  left();
}

/** Notes that the session is over, when the shop has ended it. */
export function left() {
  keep(null);
  hangUp();
  forget();
}

// Another window has signed in or out: what is shown here is nobody's any more.
addEventListener("storage", ({ key, oldValue, newValue }) => {
  if (key !== kept || (oldValue && newValue)) return;
  hangUp();
  forget();
  listeners.forEach((tell) => tell());
});

/** The customer: undefined while that is being asked, null for a guest. */
export function useCustomer(): CustomerPartsFragment | null | undefined {
  const signedIn = useBelieved();
  const { data, error } = useQuery(MeDocument, signedIn ? {} : null);
  const ended = data?.customer === null;
  useEffect(() => {
    if (ended) keep(null);
  }, [ended]);
  if (!signedIn || error?.code === "UNAUTHENTICATED") return null;
  if (data) return data.customer; // still, when it cannot be asked again for the moment
  return error ? null : undefined;
}
