import { Page } from "../parts.tsx";

export default function Order() {
  return <Page title="Order">{null}</Page>;
}
