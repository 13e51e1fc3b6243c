// Doing something: what comes of it is told, wherever one is by then.
import { useState } from "react";
import { attempt } from "../api/attempt.ts";
import { ask, Trouble, type Operation } from "../api/client.ts";
import { renew } from "../api/query.ts";
import type { Problem } from "../ui/form.ts";
import { useWords } from "../words/index.ts";
import { ViewerDocument } from "./gql.ts";
import { notify } from "./notices.tsx";

type Plan<Data> = {
  /** Why it was not done. */
  problems: (data: Data) => Problem[];
  /** What to tell when it is done. */
  done: (data: Data) => string;
  /** The queries whose answers are others then. */
  renews?: { toString(): string }[];
};

/**
 * A mutation. `run` is for forms, as what useForm sends: it answers with the
 * problems there are, and tells by itself when it is done. `press` is for
 * buttons: it tells of problems, too, and says whether it was done.
 *
 * Variables that are a function take an idempotency key: see attempt. Without
 * one a mutation is sent once, and what became of it may be unknown.
 */
export function useAction<Data, Variables>(operation: Operation<Data, Variables>, { problems, done, renews = [] }: Plan<Data>) {
  const w = useWords();
  const [busy, setBusy] = useState(false);
  const run = async (variables: Variables | ((key: string) => Variables)): Promise<Problem[]> => {
    setBusy(true);
    try {
      let data: Data;
      if (typeof variables === "function") {
        const keyed = variables as (key: string) => Variables;
        const name = /mutation (\w+)/.exec(operation.toString())?.[1];
        data = await attempt(`console.${name}`, keyed(""), (key) => ask(operation, keyed(key)));
      } else data = await ask(operation, variables);
      const wrong = problems(data);
      if (wrong.length === 0) {
        notify(done(data));
        renews.forEach(renew);
      }
      return wrong;
    } catch (error) {
      if (error instanceof Trouble && error.code === "UNAUTHENTICATED") renew(ViewerDocument); // the door is shown
      throw error;
    } finally {
      setBusy(false);
    }
  };
  const press = async (variables: Variables | ((key: string) => Variables)): Promise<boolean> => {
    try {
      const [wrong] = await run(variables);
      if (wrong) notify(w.mishap(wrong), true);
      return !wrong;
    } catch (error) {
      notify(w.mishap(error instanceof Trouble ? error : { message: String(error) }), true);
      return false;
    }
  };
  return { busy, run, press };
}
