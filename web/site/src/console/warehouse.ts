import { useQuery } from "../api/query.ts";
import { WarehousesDocument } from "./gql.ts";
import { useMay } from "./viewer.ts";

/** The warehouses, for who may know them, and what each is called; its id for others. */
export function useWarehouses() {
  const may = useMay();
  const warehouses = useQuery(WarehousesDocument, may("STOCK_READ") ? {} : null).data?.warehouses ?? [];
  return { warehouses, nameOf: (id: string) => warehouses.find((warehouse) => warehouse.id === id)?.name ?? id };
}
