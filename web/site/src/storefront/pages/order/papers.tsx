import { useState } from "react";
import { Trouble } from "../../../api/client.ts";
import { fetchFile, save } from "../../../api/file.ts";
import type { OrderPartsFragment as Order } from "../../../api/gql.ts";
import { ours } from "../../../ui/picture.tsx";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";

/**
 * Invoice and credit notes. A guest's token goes along in a header: an address
 * would be kept in histories and logs.
 */
export function Papers({ order, token }: { order: Order; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  const [busy, setBusy] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  if (order.invoices.length === 0) return null;
  const download = async (url: string) => {
    setBusy(url);
    setWrong(undefined);
    try {
      save(await fetchFile(ours(url) ?? url, token));
    } catch (error) {
      setWrong(w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }));
    }
    setBusy(undefined);
  };
  const file = (url: string | null, kind: string, what: string) =>
    url && (
      <button type="button" className="link" disabled={busy === url} onClick={() => void download(url)}>
        {kind}
        <span className="visually-hidden"> ({what})</span>
      </button>
    );
  return (
    <section aria-labelledby="papers">
      <h2 id="papers">{o.papers}</h2>
      <ul className="plain-list">
        {order.invoices.map(({ id, kind, status, number, url, xmlUrl }) => {
          const what = `${kind === "INVOICE" ? o.invoice : o.creditNote} ${number ?? ""}`;
          return status === "PENDING" ? (
            <li key={id} className="quiet">
              {o.invoicePending}
            </li>
          ) : (
            <li key={id}>
              <span>{what}</span>
              <span className="row">
                {file(url, o.pdf, what)}
                {file(xmlUrl, o.xml, what)}
              </span>
            </li>
          );
        })}
      </ul>
      {wrong && <Wrong>{wrong}</Wrong>}
    </section>
  );
}
