import { Page } from "../parts.tsx";

export default function Stock() {
  return <Page title="Stock">{null}</Page>;
}
