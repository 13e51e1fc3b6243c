// Fields of forms: a label, a hint and what is wrong, each tied to its input.
import { useId, type InputHTMLAttributes, type SelectHTMLAttributes } from "react";
import { useWords } from "../words/index.ts";
import { Wrong } from "./state.tsx";

type Parts = { label: string; hint?: string; wrong?: string | undefined };

export function Field({ label, hint, wrong, ...input }: Parts & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const w = useWords();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {!input.required && <span className="quiet"> ({w.optional})</span>}
      </label>
      <input id={id} aria-invalid={wrong ? true : undefined} aria-describedby={[hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined} {...input} />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong && <Wrong id={`${id}-wrong`}>{wrong}</Wrong>}
    </div>
  );
}

export function Choice({ label, wrong, children, ...select }: Parts & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? `${id}-wrong` : undefined} {...select}>
        {children}
      </select>
      {wrong && <Wrong id={`${id}-wrong`}>{wrong}</Wrong>}
    </div>
  );
}

/** Units, with buttons beside them. */
export function Stepper({ label, value, most, disabled, change }: { label: string; value: number; most?: number | null; disabled?: boolean; change: (value: number) => void }) {
  const w = useWords();
  return (
    <div className="stepper" role="group" aria-label={label}>
      <button type="button" aria-label={w.product.less} disabled={disabled || value <= 1} onClick={() => change(value - 1)}>
        −
      </button>
      <output aria-label={label}>{value}</output>
      <button type="button" aria-label={w.product.more} disabled={disabled || (most != null && value >= most)} onClick={() => change(value + 1)}>
        +
      </button>
    </div>
  );
}
