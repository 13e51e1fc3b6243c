// What a page shows while it has nothing else: loading, failed, empty.
import { useEffect, useSyncExternalStore, type ReactNode } from "react";
import type { Trouble } from "../api/client.ts";
import { useWords } from "../words/index.ts";

/** Stands in for a page whose program is being fetched. */
export function Waiting() {
  const w = useWords();
  return (
    <div className="waiting" role="status">
      <span className="visually-hidden">{w.loading}</span>
    </div>
  );
}

/** A grey bar in the place of text. */
export const Bar = ({ width = "100%" }: { width?: string }) => <span className="bar" style={{ inlineSize: width }} aria-hidden="true" />;

/** What went wrong, in full, with a way on; alone where the page has nothing else. */
export function Failed({ error, retry, alone }: { error: Trouble; retry: () => void; alone?: boolean }) {
  const w = useWords();
  const Title = alone ? "h1" : "h2";
  return (
    <div className="notice" role="alert">
      <Title>{w.failed}</Title>
      <p>{w.mishap(error)}</p>
      {error.reference && <p className="quiet">{w.reference(error.reference)}</p>}
      <button type="button" className="button" onClick={retry}>
        {w.retry}
      </button>
    </div>
  );
}

/** Nothing is there, and that is no mishap; alone where the page has nothing else. */
export function Empty({ title, alone, children }: { title: string; alone?: boolean; children?: ReactNode }) {
  const Title = alone ? "h1" : "h2";
  return (
    <div className="notice">
      <Title>{title}</Title>
      {children}
    </div>
  );
}

/** One sentence about what went wrong, beside its cause. */
export const Wrong = ({ id, children }: { id?: string; children: ReactNode }) => (
  <p className="wrong" id={id} role="alert">
    {children}
  </p>
);

const hear = (tell: () => void) => {
  addEventListener("online", tell);
  addEventListener("offline", tell);
  return () => (removeEventListener("online", tell), removeEventListener("offline", tell));
};

export function Offline() {
  const w = useWords();
  const online = useSyncExternalStore(hear, () => navigator.onLine);
  return (
    <div className="offline" role="status">
      {!online && <p>{w.offline}</p>}
    </div>
  );
}

/** Calls back when the network has come back. */
export function useBackOnline(then: () => void) {
  useEffect(() => {
    addEventListener("online", then);
    return () => removeEventListener("online", then);
  }, [then]);
}
