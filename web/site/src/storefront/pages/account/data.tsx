// What the law gives customers: a copy of their data, and to be forgotten.
import { useState } from "react";
import { useLocation } from "wouter";
import { ask } from "../../../api/client.ts";
import { save } from "../../../api/file.ts";
import { EraseCustomerDocument, ExportDataDocument } from "../../../api/gql.ts";
import { left } from "../../../api/session.ts";
import { useForm } from "../../../ui/form.ts";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { replace } from "../../cart.ts";
import { Narrow, Password } from "./entry.tsx";

export function ExportData() {
  const a = useWords().account;
  const form = useForm(async () => {
    const answer = (await ask(ExportDataDocument, {})).customerDataExport;
    if (answer?.data) save({ name: "data.json", content: new Blob([answer.data], { type: "application/json" }) });
    return answer?.userErrors ?? [];
  });
  return (
    <form className="form panel" onSubmit={form.onSubmit} aria-busy={form.busy}>
      <h2>{a.data}</h2>
      <p className="quiet">{a.dataText}</p>
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <p>
        <button type="submit" className="button" disabled={form.busy}>
          {a.dataGet}
        </button>
      </p>
    </form>
  );
}

export function Erase() {
  const w = useWords();
  const a = w.account;
  const [, go] = useLocation();
  const [sure, setSure] = useState(false);
  const form = useForm(async ({ text }) => {
    const answer = (await ask(EraseCustomerDocument, { input: { password: text("password") } })).customerErase;
    if (answer?.erased) {
      go("/account/erased", { replace: true });
      replace(null);
      left();
    }
    return (answer?.userErrors ?? []).map((problem) => ({ ...problem, field: ["password"] }));
  });
  return (
    <form className="form panel" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
      <h2>{a.erase}</h2>
      <p className="quiet">{a.eraseText}</p>
      {sure ? (
        <>
          <Password name="password" label={a.password} autoComplete="current-password" wrong={form.wrongs["password"]} />
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          <div className="row">
            <button type="submit" className="button button-bad" disabled={form.busy}>
              {a.erase}
            </button>
            <button type="button" className="button" onClick={() => setSure(false)}>
              {w.cancel}
            </button>
          </div>
        </>
      ) : (
        <p>
          <button type="button" className="button" onClick={() => setSure(true)}>
            {a.erase}
          </button>
        </p>
      )}
    </form>
  );
}

/** Says goodbye. */
export function Erased() {
  const a = useWords().account;
  return (
    <Narrow title={a.erased}>
      <p role="status">{a.erasedText}</p>
    </Narrow>
  );
}
