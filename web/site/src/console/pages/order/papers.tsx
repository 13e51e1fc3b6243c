import { useState } from "react";
import { Trouble } from "../../../api/client.ts";
import { fetchFile, save } from "../../../api/file.ts";
import { ours } from "../../../ui/picture.tsx";
import { useWords } from "../../../words/index.ts";
import { notify } from "../../notices.tsx";
import { Section, When } from "../../parts.tsx";
import type { Order } from "./order.tsx";

export function Papers({ order: { invoices } }: { order: Order }) {
  const w = useWords();
  const [busy, setBusy] = useState<string>();
  if (invoices.length === 0) return null;
  const download = async (url: string) => {
    setBusy(url);
    try {
      save(await fetchFile(ours(url) ?? url));
    } catch (error) {
      notify(w.mishap(error instanceof Trouble ? error : { message: String(error) }), true);
    }
    setBusy(undefined);
  };
  const file = (url: string | null, format: string, what: string) =>
    url && (
      <button type="button" className="link" disabled={busy === url} aria-label={`${format} of ${what}`} onClick={() => void download(url)}>
        {format}
      </button>
    );
  return (
    <Section title="Documents">
      <ul className="papers">
        {invoices.map(({ id, kind, number, issuedAt, url, xmlUrl, totals }) => {
          const name = kind === "INVOICE" ? "Invoice" : "Credit note";
          return (
            <li key={id}>
              <span>
                {name} {number ?? <span className="quiet">is being written</span>}
                {totals && <span className="quiet"> {w.price(totals.totalAmount)}</span>}
              </span>
              <span className="row">
                {issuedAt && <When at={issuedAt} />}
                {file(url, "PDF", `${name} ${number}`)}
                {file(xmlUrl, "XML", `${name} ${number}`)}
              </span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
