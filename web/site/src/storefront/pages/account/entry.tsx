// Signing in, registering, and where the links of our mails lead.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, Redirect, useLocation, useSearchParams } from "wouter";
import { takenAside } from "../../../api/address.ts";
import { ask, Trouble } from "../../../api/client.ts";
import { RecoverDocument, RegisterDocument, ResetDocument, SendVerificationDocument, VerifyDocument } from "../../../api/gql.ts";
import { cartId, replace } from "../../cart.ts";
import { here } from "../../../words/place.ts";
import { signIn, useCustomer } from "../../../api/session.ts";
import { Field } from "../../../ui/field.tsx";
import { useForm } from "../../../ui/form.ts";
import { useTitle } from "../../page.ts";
import { Wrong } from "../../../ui/state.tsx";
import { useWords } from "../../../words/index.ts";

/** A page of one narrow column. */
export function Narrow({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="narrow form">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

// Where to go on: a path of ours, whoever wrote the address.
function useNext(): string {
  const [params] = useSearchParams();
  const next = (params.get("next") ?? "").replace(/\s/g, ""); // browsers pass over these in addresses
  return /^\/(?![/\\])/.test(next) ? next : "/account";
}

export function SignIn() {
  const w = useWords();
  const a = w.account;
  const [, go] = useLocation();
  const next = useNext();
  const customer = useCustomer();
  const form = useForm(async ({ text }) => {
    const { cart, signedIn, problems } = await signIn(text("email"), text("password"), cartId());
    if (signedIn) {
      if (cart) replace(cart);
      go(next, { replace: true });
    }
    return problems.map((problem) => ({ ...problem, field: problem.code === "UNIDENTIFIED_CUSTOMER" ? ["password"] : problem.field }));
  });
  if (customer) return <Redirect to={next} replace />; // nothing to do here
  return (
    <Narrow title={a.signIn}>
      <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
        <Field name="email" type="email" label={w.checkout.email} autoComplete="username" required wrong={form.wrongs["email"]} />
        <Password name="password" label={a.password} autoComplete="current-password" wrong={form.wrongs["password"]} />
        {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
        <button type="submit" className="button button-main" disabled={form.busy}>
          {a.signIn}
        </button>
      </form>
      <p>
        <Link href="/account/recover">{a.forgot}</Link>
      </p>
      <p className="quiet">
        {a.noAccount} <Link href="/account/register">{a.register}</Link>
      </p>
    </Narrow>
  );
}

export function Password({ wrong, hint, ...input }: { name: string; label: string; autoComplete: string; hint?: string; wrong?: string | undefined }) {
  const w = useWords();
  const [shown, show] = useState(false);
  return (
    <div className="reveal">
      <Field type={shown ? "text" : "password"} required hint={hint} wrong={wrong} {...input} />
      <button type="button" className="link" aria-pressed={shown} onClick={() => show(!shown)}>
        {shown ? w.account.hide : w.account.show}
        <span className="visually-hidden"> ({input.label})</span>
      </button>
    </div>
  );
}

export function Register() {
  const w = useWords();
  const a = w.account;
  const [mailed, setMailed] = useState<string>();
  const form = useForm(async ({ text, has }) => {
    const email = text("email");
    const { customerCreate } = await ask(RegisterDocument, {
      input: { email, password: text("password"), firstName: text("firstName"), lastName: text("lastName"), locale: here().locale, acceptsMarketing: has("acceptsMarketing") },
    });
    const problems = customerCreate?.customerUserErrors ?? [];
    if (problems.length === 0) setMailed(email);
    return problems.map((problem) => ({ ...problem, field: problem.code === "PASSWORD_INVALID" ? ["password"] : problem.field }));
  });
  if (mailed) return <Mailed email={mailed} again={async () => void (await ask(SendVerificationDocument, { email: mailed }))} />;
  return (
    <Narrow title={a.register}>
      <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
        <div className="two">
          <Field name="firstName" label={w.checkout.firstName} autoComplete="given-name" wrong={form.wrongs["firstName"]} />
          <Field name="lastName" label={w.checkout.lastName} autoComplete="family-name" wrong={form.wrongs["lastName"]} />
        </div>
        <Field name="email" type="email" label={w.checkout.email} autoComplete="username" required wrong={form.wrongs["email"]} />
        <Password name="password" label={a.password} hint={a.passwordHint} autoComplete="new-password" wrong={form.wrongs["password"]} />
        <label className="check">
          <input type="checkbox" name="acceptsMarketing" />
          <span>{a.marketing}</span>
        </label>
        {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
        <button type="submit" className="button button-main" disabled={form.busy}>
          {a.register}
        </button>
      </form>
      <p className="quiet">
        {a.hasAccount} <Link href="/account/sign-in">{a.signIn}</Link>
      </p>
    </Narrow>
  );
}

function Mailed({ email, again }: { email: string; again: () => Promise<void> }) {
  const w = useWords();
  const a = w.account;
  const form = useForm(async () => (await again(), []));
  return (
    <Narrow title={a.mailSent}>
      <p role="status">{a.mailSentText(email)}</p>
      <form onSubmit={form.onSubmit}>
        <button type="submit" className="link" disabled={form.busy}>
          {a.sendAgain}
        </button>
        {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      </form>
    </Narrow>
  );
}

export function Recover() {
  const w = useWords();
  const a = w.account;
  const [mailed, setMailed] = useState<string>();
  const form = useForm(async ({ text }) => {
    const email = text("email");
    const problems = (await ask(RecoverDocument, { email })).customerRecover?.customerUserErrors ?? [];
    if (problems.length === 0) setMailed(email);
    return problems;
  });
  if (mailed) return <Mailed email={mailed} again={async () => void (await ask(RecoverDocument, { email: mailed }))} />;
  return (
    <Narrow title={a.recover}>
      <p className="quiet">{a.recoverText}</p>
      <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
        <Field name="email" type="email" label={w.checkout.email} autoComplete="username" required wrong={form.wrongs["email"]} />
        {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
        <button type="submit" className="button button-main" disabled={form.busy}>
          {a.sendLink}
        </button>
      </form>
    </Narrow>
  );
}

/** Where the mail leads that confirms an address. */
export function Verify() {
  const w = useWords();
  const a = w.account;
  const [token] = useState(() => takenAside("token") ?? "");
  const [state, setState] = useState<"asking" | "verified" | { wrong: string }>("asking");
  const asked = useRef("");
  useEffect(() => {
    if (asked.current === token) return;
    asked.current = token;
    ask(VerifyDocument, { token }).then(
      ({ customerEmailVerify: answer }) => setState(answer?.verified ? "verified" : { wrong: w.mishap(answer?.customerUserErrors[0] ?? { code: "TOKEN_INVALID", message: a.linkBad }) }),
      (error: unknown) => setState({ wrong: w.mishap(error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }) }),
    );
  }, [token, w, a.linkBad]);
  if (state === "asking") return <Narrow title={a.verifying}>{null}</Narrow>;
  if (state === "verified")
    return (
      <Narrow title={a.verified}>
        <p role="status">{a.verifiedText}</p>
        <Link href="/account/sign-in" className="button button-main">
          {a.signIn}
        </Link>
      </Narrow>
    );
  return (
    <Narrow title={a.linkBad}>
      <Wrong>{state.wrong}</Wrong>
      <Link href="/account/register" className="button">
        {a.register}
      </Link>
    </Narrow>
  );
}

/** Where the mail leads that sets a new password. */
export function Reset() {
  const w = useWords();
  const a = w.account;
  const [token] = useState(() => takenAside("token") ?? "");
  const [done, setDone] = useState(false);
  const form = useForm(async ({ text }) => {
    const { customerReset: answer } = await ask(ResetDocument, { input: { resetToken: token, password: text("password") } });
    if (answer?.reset) setDone(true);
    return (answer?.customerUserErrors ?? []).map((problem) => ({ ...problem, field: problem.code === "PASSWORD_INVALID" ? ["password"] : problem.field }));
  });
  if (done)
    return (
      <Narrow title={a.resetDone}>
        <Link href="/account/sign-in" className="button button-main">
          {a.signIn}
        </Link>
      </Narrow>
    );
  return (
    <Narrow title={a.recover}>
      <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
        <Password name="password" label={a.newPassword} hint={a.passwordHint} autoComplete="new-password" wrong={form.wrongs["password"]} />
        {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
        <button type="submit" className="button button-main" disabled={form.busy}>
          {w.save}
        </button>
      </form>
      <p>
        <Link href="/account/recover">{a.sendLink}</Link>
      </p>
    </Narrow>
  );
}
