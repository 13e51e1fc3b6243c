import { Page } from "../parts.tsx";

export default function Customer() {
  return <Page title="Customer">{null}</Page>;
}
