// The places that stock lies in.
import { useState } from "react";
import type { CountryCode } from "../../api/gql.ts";
import { useCountries } from "../../ui/countries.ts";
import { Choice, Field } from "../../ui/field.tsx";
import { useForm } from "../../ui/form.ts";
import { Wrong } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";
import { useAction } from "../action.ts";
import { WarehousePutDocument, WarehousesDocument, type WarehousesQuery } from "../gql.ts";
import { Dialog, DialogEnd } from "../parts.tsx";

type Warehouse = WarehousesQuery["warehouses"][number];

export function Warehouses({ of, open, close, write }: { of: Warehouse[]; open: boolean; close: () => void; write: boolean }) {
  const w = useWords();
  const [edited, edit] = useState<Warehouse | "new">();
  const leave = () => {
    edit(undefined);
    close();
  };
  return (
    <Dialog title={edited === "new" ? "Open a warehouse" : edited ? `Change ${edited.name}` : "Warehouses"} open={open} close={leave}>
      {edited ? (
        <WarehouseForm of={edited === "new" ? undefined : edited} last={Math.max(0, ...of.map(({ priority }) => priority))} close={() => edit(undefined)} />
      ) : (
        <>
          <p className="quiet">Orders draw on them from the top.</p>
          <ul className="warehouse-list">
            {of.map((warehouse) => (
              <li key={warehouse.id}>
                <span>
                  <strong>{warehouse.name}</strong>
                  <span className="quiet">
                    {warehouse.id}
                    {warehouse.countryCode && `, ${w.countryName(warehouse.countryCode)}`}
                  </span>
                </span>
                {write && (
                  <button type="button" className="button button-small" onClick={() => edit(warehouse)}>
                    Change<span className="visually-hidden"> {warehouse.name}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
          {of.length === 0 && <p>There is none yet.</p>}
          {write && (
            <button type="button" className="button" onClick={() => edit("new")}>
              Open a warehouse
            </button>
          )}
        </>
      )}
    </Dialog>
  );
}

function WarehouseForm({ of, last, close }: { of: Warehouse | undefined; last: number; close: () => void }) {
  const countries = useCountries(of?.countryCode);
  const put = useAction(WarehousePutDocument, { problems: (data) => data.warehousePut?.userErrors ?? [], done: () => (of ? "The warehouse is changed." : "The warehouse is open."), renews: [WarehousesDocument] });
  const form = useForm(async ({ text }) => {
    const priority = Number(text("priority"));
    if (!Number.isInteger(priority)) return [{ field: ["priority"], message: "A whole number, please." }];
    const problems = await put.run({ input: { id: of?.id ?? text("id"), name: text("name"), countryCode: (text("countryCode") as CountryCode) || undefined, priority } });
    if (problems.length === 0) close();
    return problems;
  });
  return (
    <form className="form" onSubmit={form.onSubmit} noValidate>
      <Field name="name" label="Name" defaultValue={of?.name ?? ""} required autoComplete="off" wrong={form.wrongs["name"]} />
      {!of && <Field name="id" label="Id" hint="Short, and for ever: berlin" required autoComplete="off" autoCapitalize="off" spellCheck={false} wrong={form.wrongs["id"]} />}
      <Choice name="countryCode" label="Country" defaultValue={of?.countryCode ?? ""} wrong={form.wrongs["countryCode"]}>
        <option value="">Not said</option>
        {countries.map(({ isoCode, name }) => (
          <option key={isoCode} value={isoCode}>
            {name}
          </option>
        ))}
      </Choice>
      <Field name="priority" label="Place in the order" hint="The lower, the sooner orders draw on it." inputMode="numeric" defaultValue={of?.priority ?? last + 1} required autoComplete="off" wrong={form.wrongs["priority"]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <DialogEnd name={of ? "Save" : "Open it"} busy={form.busy} close={close} />
    </form>
  );
}
