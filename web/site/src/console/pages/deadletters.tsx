import { Page } from "../parts.tsx";

export default function Deadletters() {
  return <Page title="Dead letters">{null}</Page>;
}
