// Forms are the browser's own: what was typed is read when it is sent, and
// what the shop finds wrong with it goes beside the field it names.
import { useState, type FormEvent } from "react";
import { Trouble } from "../api/client.ts";
import { useWords, type Speech } from "../words/index.ts";

export type Problem = { code?: string | null; field?: string[] | null; message: string };

/** What is wrong, by the field's name; under "" what belongs to none. */
export type Wrongs = Record<string, string>;

export function wrongsOf(problems: Problem[], w: Speech, fields: ReadonlySet<string>): Wrongs {
  const wrongs: Wrongs = {};
  for (const problem of problems) {
    const named = problem.field?.at(-1) ?? "";
    wrongs[fields.has(named) ? named : ""] ??= w.mishap(problem);
  }
  return wrongs;
}

/** The names of the form's fields, and what was typed. */
export function read(form: HTMLFormElement) {
  const data = new FormData(form);
  const fields = new Set<string>();
  for (const element of form.elements) if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement) fields.add(element.name);
  fields.delete("");
  const text = (name: string) => String(data.get(name) ?? "").trim();
  return { fields, text, has: (name: string) => data.has(name) };
}

/** Puts the focus on the first field that is wrong. */
export const toFirstWrong = (form: HTMLFormElement) =>
  requestAnimationFrame(() => form.querySelector<HTMLElement>('input[aria-invalid="true"], select[aria-invalid="true"], [aria-invalid="true"] :checked')?.focus());

/**
 * A form that sends itself: `send` answers with the problems there are, and
 * nothing when it is done.
 */
export function useForm(send: (form: ReturnType<typeof read>) => Promise<Problem[]>) {
  const w = useWords();
  const [wrongs, setWrongs] = useState<Wrongs>({});
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const what = read(form);
    const missing: Wrongs = {};
    for (const element of form.elements)
      if (element instanceof HTMLInputElement && element.required && !element.value.trim()) missing[element.name] = w.checkout.required;
    if (Object.keys(missing).length > 0) {
      setWrongs(missing);
      toFirstWrong(form);
      return;
    }
    setBusy(true);
    let problems: Problem[];
    try {
      problems = await send(what);
    } catch (error) {
      problems = [error instanceof Trouble ? error : { code: "INTERNAL_SERVER_ERROR", message: String(error) }];
    }
    setBusy(false);
    setWrongs(wrongsOf(problems, w, what.fields));
    if (problems.length > 0) toFirstWrong(form);
  };
  return { wrongs, busy, onSubmit, noValidate: true as const };
}
