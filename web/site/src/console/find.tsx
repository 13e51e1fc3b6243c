import { useId, type InputHTMLAttributes } from "react";

type Props = { label: string; value: string; find: (text: string) => void } & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "name">;

/** One field to find something with. What is found stands in the address, which is where `value` comes from. */
export function Find({ label, value, find, ...input }: Props) {
  const id = useId();
  return (
    <form
      key={value}
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        find(String(new FormData(event.currentTarget).get("text") ?? "").trim());
      }}
    >
      <label htmlFor={id}>{label}</label>
      <input id={id} name="text" type="search" defaultValue={value} autoComplete="off" autoCapitalize="off" spellCheck={false} maxLength={255} {...input} />
      <button type="submit" className="button">
        Find
      </button>
    </form>
  );
}
