// What surrounds every page.
import { useEffect, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { Trouble } from "../api/client.ts";
import { signOut } from "../api/session.ts";
import { Offline } from "../ui/state.tsx";
import { useWords } from "../words/index.ts";
import { notify, Notices } from "./notices.tsx";
import { sections } from "./sections.ts";
import { useMay, useViewer } from "./viewer.ts";

export function Frame({ children }: { children: ReactNode }) {
  const w = useWords();
  return (
    <>
      <a className="skip" href="#content">
        {w.skip}
      </a>
      <div className="desk">
        <Side />
        <div className="work">
          <Offline />
          <main id="content" tabIndex={-1}>
            {children}
          </main>
        </div>
      </div>
      <Notices />
    </>
  );
}

function Side() {
  const may = useMay();
  const viewer = useViewer();
  const [path] = useLocation();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  const here = (section: string) => (section === "/" ? path === "/" : path === section || path.startsWith(`${section}/`));
  return (
    <header className="side" data-open={open || undefined}>
      <Link href="/" className="wordmark">
        Console
      </Link>
      <button type="button" className="button button-small side-toggle" aria-expanded={open} aria-controls="sections" onClick={() => setOpen(!open)}>
        Menu
      </button>
      <div className="side-rest" id="sections">
        <nav aria-label="Console">
          <ul>
            {sections
              .filter(({ needs }) => may(needs))
              .map(({ path, name }) => (
                <li key={path}>
                  <Link href={path} aria-current={here(path) ? "page" : undefined}>
                    {name}
                  </Link>
                </li>
              ))}
          </ul>
        </nav>
        <div className="who">
          <p>
            <span className="visually-hidden">Signed in: </span>
            {viewer.displayName}
            <span className="quiet">{viewer.roles.map((role) => role.toLowerCase()).join(", ")}</span>
          </p>
          <SignOut />
          <a href="/" className="link">
            To the shop
          </a>
        </div>
      </div>
    </header>
  );
}

export function SignOut() {
  const w = useWords();
  const leave = () => signOut().catch((error: unknown) => notify(w.mishap(error instanceof Trouble ? error : { message: String(error) }), true));
  return (
    <button type="button" className="link" onClick={() => void leave()}>
      Sign out
    </button>
  );
}
