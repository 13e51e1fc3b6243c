// What has just been done, or could not be: told once, wherever one is.
import { useEffect, useSyncExternalStore } from "react";
import { useWords } from "../words/index.ts";

type Said = { text: string; bad: boolean };

let said: Said | undefined;
const listeners = new Set<() => void>();
const listen = (tell: () => void) => (listeners.add(tell), () => void listeners.delete(tell));

function say(next: Said | undefined) {
  said = next;
  listeners.forEach((tell) => tell());
}

/** Tells that something is done, or what went wrong; it takes the place of what was told before. */
export const notify = (text: string, bad = false) => say({ text, bad });

const shownFor = 8_000; // good news; bad stays until it is put away

export function Notices() {
  const w = useWords();
  const now = useSyncExternalStore(listen, () => said);
  useEffect(() => {
    if (!now || now.bad) return;
    const gone = setTimeout(() => said === now && say(undefined), shownFor);
    return () => clearTimeout(gone);
  }, [now]);
  return (
    <div className="notices">
      <div role="status">{now && !now.bad && <p className="told">{now.text}</p>}</div>
      <div role="alert">
        {now?.bad && (
          <p className="told" data-bad>
            {now.text}
            <button type="button" className="icon-button" aria-label={w.close} onClick={() => say(undefined)}>
              ×
            </button>
          </p>
        )}
      </div>
    </div>
  );
}
