import { ShopDocument } from "./gql.ts";
import { useQuery } from "./query.ts";

/** The shop's name and collections, which every page shows around itself. */
export const useShop = () => useQuery(ShopDocument, {}).data;
