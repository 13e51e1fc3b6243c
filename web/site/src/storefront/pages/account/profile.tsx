import { useState } from "react";
import { ask } from "../../../api/client.ts";
import { ChangePasswordDocument, MeDocument, UpdateProfileDocument, type CustomerPartsFragment } from "../../../api/gql.ts";
import { renew } from "../../../api/query.ts";
import { Choice, Field } from "../../../ui/field.tsx";
import { useForm } from "../../../ui/form.ts";
import { useTitle } from "../../page.ts";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";
import { Erase, ExportData } from "./data.tsx";
import { Password } from "./entry.tsx";

export function Profile({ customer }: { customer: CustomerPartsFragment }) {
  const w = useWords();
  const a = w.account;
  useTitle(a.profile);
  const [saved, setSaved] = useState(false);
  const form = useForm(async ({ text, has }) => {
    setSaved(false);
    const problems =
      (
        await ask(UpdateProfileDocument, {
          customer: { firstName: text("firstName"), lastName: text("lastName"), phone: text("phone"), locale: text("locale"), acceptsMarketing: has("acceptsMarketing") },
        })
      ).customerUpdate?.customerUserErrors ?? [];
    if (problems.length === 0) {
      renew(MeDocument);
      setSaved(true);
    }
    return problems;
  });
  const language = customer.locale.toLowerCase().startsWith("de") ? "de" : "en";
  return (
    <div className="columns">
      <div>
        <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
          <p className="quiet">{customer.email}</p>
          <div className="two">
            <Field name="firstName" label={w.checkout.firstName} autoComplete="given-name" defaultValue={customer.firstName ?? ""} wrong={form.wrongs["firstName"]} />
            <Field name="lastName" label={w.checkout.lastName} autoComplete="family-name" defaultValue={customer.lastName ?? ""} wrong={form.wrongs["lastName"]} />
          </div>
          <Field name="phone" type="tel" label={w.checkout.phone} autoComplete="tel" defaultValue={customer.phone ?? ""} wrong={form.wrongs["phone"]} />
          <Choice name="locale" label={a.locale} defaultValue={language === customer.locale ? language : customer.locale} wrong={form.wrongs["locale"]}>
            {["en", "de"].includes(customer.locale) || <option value={customer.locale}>{customer.locale}</option>}
            <option value="en">English</option>
            <option value="de">Deutsch</option>
          </Choice>
          <label className="check">
            <input type="checkbox" name="acceptsMarketing" defaultChecked={customer.acceptsMarketing} />
            <span>{a.marketing}</span>
          </label>
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          <div className="row">
            <button type="submit" className="button button-main" disabled={form.busy}>
              {w.save}
            </button>
            <p role="status" className="good">
              {saved && a.saved}
            </p>
          </div>
        </form>
      </div>
      <div>
        <ChangePassword email={customer.email} />
        <ExportData />
        <Erase />
      </div>
    </div>
  );
}

function ChangePassword({ email }: { email: string }) {
  const w = useWords();
  const a = w.account;
  const [times, setTimes] = useState(0);
  const form = useForm(async ({ text }) => {
    const answer = (await ask(ChangePasswordDocument, { input: { currentPassword: text("currentPassword"), password: text("password") } })).customerPasswordChange;
    if (answer?.changed) setTimes(times + 1);
    return (answer?.customerUserErrors ?? []).map((problem) => ({
      ...problem,
      field: problem.code === "PASSWORD_INVALID" ? ["password"] : problem.code === "UNIDENTIFIED_CUSTOMER" ? ["currentPassword"] : problem.field,
    }));
  });
  return (
    <form className="form panel" onSubmit={form.onSubmit} noValidate aria-busy={form.busy} key={times}>
      <h2>{a.changePassword}</h2>
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Password name="currentPassword" label={a.currentPassword} autoComplete="current-password" wrong={form.wrongs["currentPassword"]} />
      <Password name="password" label={a.newPassword} hint={a.passwordHint} autoComplete="new-password" wrong={form.wrongs["password"]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <button type="submit" className="button" disabled={form.busy}>
        {w.save}
      </button>
      <p role="status" className="good">
        {times > 0 && a.passwordChanged}
      </p>
    </form>
  );
}
