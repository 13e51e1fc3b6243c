import { Page } from "../parts.tsx";

export default function Products() {
  return <Page title="Products">{null}</Page>;
}
