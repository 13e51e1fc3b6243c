import { Page } from "../parts.tsx";

export default function Customers() {
  return <Page title="Customers">{null}</Page>;
}
