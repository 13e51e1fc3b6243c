import { Page } from "../parts.tsx";

export default function Board() {
  return <Page title="Now">{null}</Page>;
}
