import { useQuery } from "../api/query.ts";
import { ViewerDocument } from "./gql.ts";

export function Console() {
  const { data } = useQuery(ViewerDocument, {});
  return <main>{data?.customer?.displayName}</main>;
}
