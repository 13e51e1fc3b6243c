import { Link } from "wouter";
import { Empty } from "../../ui/state.tsx";
import { useTitle } from "../page.ts";
import { useWords } from "../../words/index.ts";

export function Missing() {
  const w = useWords();
  useTitle(w.missing.title);
  return (
    <Empty alone title={w.missing.title}>
      <p>{w.missing.text}</p>
      <Link href="/" className="button">
        {w.missing.home}
      </Link>
    </Empty>
  );
}
