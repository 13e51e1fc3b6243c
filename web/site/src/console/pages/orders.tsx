import { Page } from "../parts.tsx";

export default function Orders() {
  return <Page title="Orders">{null}</Page>;
}
