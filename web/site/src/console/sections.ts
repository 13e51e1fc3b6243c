import type { Permission } from "./gql.ts";

/** The parts of the console in the order of the menu, each with what one must be allowed to see it. */
export const sections: { path: string; name: string; needs: Permission }[] = [
  { path: "/", name: "Now", needs: "OPERATIONS_READ" },
  { path: "/orders", name: "Orders", needs: "ORDERS_READ" },
  { path: "/picking", name: "Picking", needs: "ORDERS_FULFIL" },
  { path: "/stock", name: "Stock", needs: "STOCK_READ" },
  { path: "/products", name: "Products", needs: "PRODUCTS_WRITE" },
  { path: "/customers", name: "Customers", needs: "CUSTOMERS_READ" },
  { path: "/dead-letters", name: "Dead letters", needs: "OPERATIONS_READ" },
  { path: "/staff", name: "Staff", needs: "STAFF_WRITE" },
];
