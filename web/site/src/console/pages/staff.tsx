import { Page } from "../parts.tsx";

export default function Staff() {
  return <Page title="Staff">{null}</Page>;
}
