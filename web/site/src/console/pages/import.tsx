// Products out of a file.
import { useState, type DragEvent } from "react";
import { Trouble } from "../../api/client.ts";
import { save } from "../../api/file.ts";
import { renew } from "../../api/query.ts";
import { Wrong } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";
import { CatalogueProductsDocument, ProductsImportDocument, StocksDocument, type ProductsImportMutation } from "../gql.ts";
import { Dialog } from "../parts.tsx";
import { upload } from "../upload.ts";

type Result = NonNullable<NonNullable<ProductsImportMutation["productsImport"]>["import"]>;

const most = 10 << 20; // bytes that the shop takes

export function Import({ open, close }: { open: boolean; close: () => void }) {
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title="Import products" open={open} close={() => busy || close()}>
      <Steps busy={busy} setBusy={setBusy} close={close} />
    </Dialog>
  );
}

function Steps({ busy, setBusy, close }: { busy: boolean; setBusy: (busy: boolean) => void; close: () => void }) {
  const w = useWords();
  const [file, setFile] = useState<File>();
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState(0);
  const [wrong, setWrong] = useState<string>();
  const [result, setResult] = useState<Result>();

  const take = (files: FileList | null) => {
    const [first] = files ?? [];
    if (!first) return;
    setResult(undefined);
    setFile(first);
    setWrong(first.size > most ? "The file has more than 10 MB. Larger ones are for the command line: ordergraph import." : undefined);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!busy) take(event.dataTransfer.files);
  };
  const begin = async () => {
    if (!file || busy) return;
    setBusy(true);
    setSent(0);
    setWrong(undefined);
    try {
      const { productsImport: answer } = await upload(ProductsImportDocument, { file }, setSent);
      setWrong(answer?.userErrors[0]?.message);
      setResult(answer?.import ?? undefined);
      if (answer?.import) [CatalogueProductsDocument, StocksDocument].forEach(renew);
    } catch (error) {
      setWrong(w.mishap(error instanceof Trouble ? error : { message: String(error) }));
    }
    setBusy(false);
  };

  if (result && file) return <Outcome of={result} name={file.name} again={() => (setResult(undefined), setFile(undefined))} close={close} />;
  return (
    <>
      <p className="quiet">Shopify’s product CSV, or JSON as the documentation has it. Products are known by their handle: importing a file again changes what is different and adds nothing twice.</p>
      <div
        className="drop"
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <label htmlFor="import-file">File</label>
        <input id="import-file" type="file" accept=".csv,.json,text/csv,application/json" disabled={busy} aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? "import-wrong" : undefined} onChange={({ target }) => take(target.files)} />
        <p className="quiet">{file ? `${file.name}, ${size(file.size)}` : "Choose one, or drop it here."}</p>
      </div>
      <div className="import-progress" role="status">
        {busy && (
          <>
            <progress aria-label="Sent" max={1} value={sent < 1 ? sent : undefined} />
            <span>{sent < 1 ? `Sending: ${Math.round(sent * 100)} %` : "Sent. The shop is reading it…"}</span>
          </>
        )}
      </div>
      {wrong && <Wrong id="import-wrong">{wrong}</Wrong>}
      <div className="dialog-end">
        <button type="button" className="button" disabled={busy} onClick={close}>
          Back
        </button>
        <button type="button" className="button button-main" disabled={!file || file.size > most || busy} onClick={() => void begin()}>
          Import
        </button>
      </div>
    </>
  );
}

const size = (bytes: number) => (bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`);

const sentence = ({ line, handle, message }: Result["leftOut"][number]) => `${line === null ? "" : `Line ${line}: `}${handle ? `${handle}: ` : ""}${message}`;

function Outcome({ of, name, again, close }: { of: Result; name: string; again: () => void; close: () => void }) {
  const more = of.leftOutCount - of.leftOut.length;
  const report = () =>
    save({ name: `${name}-left-out.txt`, content: new Blob([`${name}: ${of.leftOutCount} left out\n\n${of.leftOut.map(sentence).join("\n")}\n${more > 0 ? `and ${more} more\n` : ""}`], { type: "text/plain;charset=utf-8" }) });
  return (
    <>
      <p role="status">
        <strong>{of.productCount === 1 ? "1 product is in the shop as the file has it." : `${of.productCount} products are in the shop as the file has them.`}</strong>{" "}
        {of.stockCount > 0 && `The stock of ${of.stockCount === 1 ? "1 SKU" : `${of.stockCount} SKUs`} was counted.`}
      </p>
      {of.leftOutCount > 0 && (
        <>
          <h3>Left out: {of.leftOutCount}</h3>
          <ul className="left-out" tabIndex={0} aria-label="What was left out">
            {of.leftOut.map((problem, i) => (
              <li key={i}>
                {problem.line !== null && <strong>Line {problem.line}</strong>} {problem.handle && <code>{problem.handle}</code>} {problem.message}
              </li>
            ))}
            {more > 0 && <li className="quiet">and {more} more</li>}
          </ul>
          <p>
            <button type="button" className="button" onClick={report}>
              Save the list as a text
            </button>
          </p>
        </>
      )}
      <div className="dialog-end">
        <button type="button" className="button" onClick={again}>
          Another file
        </button>
        <button type="button" className="button button-main" onClick={close}>
          Done
        </button>
      </div>
    </>
  );
}
