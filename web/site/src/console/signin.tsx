// The door.
import { useEffect } from "react";
import { signIn } from "../api/session.ts";
import { Field } from "../ui/field.tsx";
import { useForm } from "../ui/form.ts";
import { Offline, Wrong } from "../ui/state.tsx";
import { SignOut } from "./frame.tsx";
import { Notices } from "./notices.tsx";
import { useTitle } from "./parts.tsx";
import type { Viewer } from "./viewer.ts";

// What comes after the door gets the focus.
const useOnward = () => useEffect(() => () => void requestAnimationFrame(() => document.getElementById("content")?.focus({ preventScroll: true })), []);

export function SignIn() {
  useTitle("Sign in");
  useOnward();
  const form = useForm(async ({ text }) => {
    const { problems } = await signIn(text("email"), text("password"), undefined);
    return problems.map((problem) => ({ ...problem, field: problem.code === "UNIDENTIFIED_CUSTOMER" ? ["password"] : problem.field }));
  });
  return (
    <>
      <Offline />
      <main id="content" tabIndex={-1} className="door">
        <p className="wordmark">Console</p>
        <h1>Sign in</h1>
        <form className="form" onSubmit={form.onSubmit} noValidate aria-busy={form.busy}>
          <Field name="email" type="email" label="E-mail" autoComplete="username" required wrong={form.wrongs["email"]} />
          <Field name="password" type="password" label="Password" autoComplete="current-password" required wrong={form.wrongs["password"]} />
          {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
          <button type="submit" className="button button-main" disabled={form.busy}>
            Sign in
          </button>
        </form>
        <p className="quiet small">
          For those who work here. <a href="/account/recover">Forgot the password?</a> <a href="/">To the shop</a>
        </p>
      </main>
    </>
  );
}

/** Somebody is signed in, and does not work here. */
export function NoStaff({ viewer }: { viewer: Viewer }) {
  useTitle("Not for customers");
  useOnward();
  return (
    <>
      <main id="content" tabIndex={-1} className="door">
        <p className="wordmark">Console</p>
        <h1>Not for customers</h1>
        <p>
          You are signed in as <strong>{viewer.email}</strong>, an account without a role in this shop. If you work here, ask an administrator to give you one, then sign in again.
        </p>
        <p className="row">
          <SignOut />
          <a href="/" className="link">
            To the shop
          </a>
        </p>
      </main>
      <Notices />
    </>
  );
}
