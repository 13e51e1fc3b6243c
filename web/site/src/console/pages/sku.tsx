import { Page } from "../parts.tsx";

export default function Sku() {
  return <Page title="SKU">{null}</Page>;
}
