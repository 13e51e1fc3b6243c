// Who has an account.
import { Link } from "wouter";
import { inPath } from "../../api/ids.ts";
import { useQuery } from "../../api/query.ts";
import { Find } from "../find.tsx";
import { CustomersDocument, type CustomersQuery } from "../gql.ts";
import { Asked, Page, Pager, Table, Tag, useCursor, useFilters, When, type Column } from "../parts.tsx";
import "./pages.css";

type Customer = CustomersQuery["customers"]["nodes"][number];

const perPage = 50;

export const customerPath = (id: string) => `/customers/${inPath("Customer", id)}`;

export default function Customers() {
  const { params, set } = useFilters();
  const { after } = useCursor();
  const email = params.get("email") ?? "";
  const answer = useQuery(CustomersDocument, { first: perPage, after, email: email || undefined });
  const columns: Column<Customer>[] = [
    { name: "E-mail", cell: ({ id, email }) => <Link href={customerPath(id)}>{email}</Link> },
    { name: "Name", cell: ({ displayName, email }) => (displayName === email ? "" : displayName) },
    { name: "Since", cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      name: "State",
      cell: ({ emailVerified, roles }) => (
        <span className="where">
          {!emailVerified && <Tag>not confirmed</Tag>}
          {roles.filter((role) => role !== "CUSTOMER").map((role) => (
            <Tag key={role} tone="busy">
              {role.toLowerCase()}
            </Tag>
          ))}
        </span>
      ),
    },
  ];
  return (
    <Page title="Customers">
      <div className="find-bar">
        <Find label="E-mail begins with" value={email} inputMode="email" find={(text) => set({ email: text })} />
      </div>
      <Asked of={answer}>
        {({ customers: { nodes, pageInfo } }) => (
          <>
            <Table caption="Customers" columns={columns} rows={nodes} keyOf={({ id }) => id} empty={email ? `No address begins with “${email}”. Guests have no account: their orders are found under Orders.` : "Nobody has an account yet."} />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
    </Page>
  );
}
