import { useState } from "react";
import { ask, Trouble } from "../../../api/client.ts";
import { AddAddressDocument, AddressesDocument, DefaultAddressDocument, DeleteAddressDocument, MeDocument, UpdateAddressDocument, type AddressesQuery } from "../../../api/gql.ts";
import { renew, useQuery } from "../../../api/query.ts";
import { addressIn, addressLines, AddressFields } from "../../../ui/address.tsx";
import { useForm } from "../../../ui/form.ts";
import { useTitle } from "../../page.ts";
import { Bar, Failed, Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";

type Address = NonNullable<AddressesQuery["customer"]>["addresses"]["nodes"][number];

const changed = () => (renew(AddressesDocument), renew(MeDocument));

export function Addresses() {
  const w = useWords();
  const a = w.account;
  const { data, error, retry } = useQuery(AddressesDocument, {});
  const [editing, edit] = useState<Address | "new" | null>(null);
  const [wrong, setWrong] = useState<string>();
  useTitle(a.addresses);
  if (!data && error) return <Failed error={error} retry={retry} />;
  if (editing) return <Edit address={editing === "new" ? undefined : editing} done={() => edit(null)} />;

  // One change of one address, which says beside the list what went wrong.
  const change = async (what: () => Promise<{ customerUserErrors: { code: string | null; message: string }[] } | null>) => {
    setWrong(undefined);
    try {
      const problem = (await what())?.customerUserErrors[0];
      if (problem) setWrong(w.mishap(problem));
    } catch (error) {
      setWrong(w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }));
    }
    changed();
  };
  const addresses = data?.customer?.addresses.nodes;
  const standard = data?.customer?.defaultAddress?.id;
  return (
    <div className="form">
      {wrong && <Wrong>{wrong}</Wrong>}
      {!addresses && <Bar />}
      {addresses?.length === 0 && <p className="quiet">{a.noAddresses}</p>}
      <ul className="address-list">
        {addresses?.map((address) => (
          <li key={address.id} className="panel">
            <address>
              {addressLines(address, w).map((line) => (
                <div key={line}>{line}</div>
              ))}
            </address>
            <div className="row">
              <button type="button" className="link" onClick={() => edit(address)}>
                {w.change}
                <span className="visually-hidden"> ({address.address1})</span>
              </button>
              <button type="button" className="link" onClick={() => void change(async () => (await ask(DeleteAddressDocument, { id: address.id! })).customerAddressDelete)}>
                {w.remove}
                <span className="visually-hidden"> ({address.address1})</span>
              </button>
              {address.id === standard ? (
                <span className="tag tag-accent">{a.isDefault}</span>
              ) : (
                <button type="button" className="link" onClick={() => void change(async () => (await ask(DefaultAddressDocument, { id: address.id! })).customerDefaultAddressUpdate)}>
                  {a.makeDefault}
                  <span className="visually-hidden"> ({address.address1})</span>
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
      <p>
        <button type="button" className="button" onClick={() => edit("new")}>
          {a.addAddress}
        </button>
      </p>
    </div>
  );
}

function Edit({ address, done }: { address: Address | undefined; done: () => void }) {
  const w = useWords();
  const form = useForm(async (what) => {
    const typed = addressIn(what);
    const problems = address?.id
      ? (await ask(UpdateAddressDocument, { id: address.id, address: typed })).customerAddressUpdate?.customerUserErrors
      : (await ask(AddAddressDocument, { address: typed })).customerAddressCreate?.customerUserErrors;
    if (problems?.length === 0) {
      changed();
      done();
    }
    return problems ?? [];
  });
  return (
    <form className="form narrow" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
      <h2>{address ? w.account.editAddress : w.account.addAddress}</h2>
      <AddressFields of={address} wrongs={form.wrongs} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <div className="row">
        <button type="submit" className="button button-main" disabled={form.busy}>
          {w.save}
        </button>
        <button type="button" className="button" onClick={done}>
          {w.cancel}
        </button>
      </div>
    </form>
  );
}
