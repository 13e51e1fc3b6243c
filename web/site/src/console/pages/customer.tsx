// One customer: who it is, what was bought, and what the law has us do.
import { useState, type FormEvent, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ask, Trouble } from "../../api/client.ts";
import { save } from "../../api/file.ts";
import { inPath, outOfPath } from "../../api/ids.ts";
import { Field } from "../../ui/field.tsx";
import { Empty } from "../../ui/state.tsx";
import { useWords } from "../../words/index.ts";
import { useAction } from "../action.ts";
import { useFresh } from "../fresh.ts";
import {
  CustomerDataExportDocument,
  CustomerEraseDocument,
  CustomerOrdersDocument,
  CustomerProfileDocument,
  CustomersDocument,
  CustomerSessionsEndDocument,
  type CustomerOrdersQuery,
  type CustomerProfileFragment,
  type CustomerProfileQuery,
} from "../gql.ts";
import { notify } from "../notices.tsx";
import { Asked, Dialog, DialogEnd, Page, Pager, Section, State, Table, Tag, useCursor, When, type Column } from "../parts.tsx";
import { useMay, useViewer } from "../viewer.ts";
import { orderStates } from "../words.ts";
import "./pages.css";
import "./customer.css";

type Node = NonNullable<CustomerProfileQuery["node"]>;
type Customer = CustomerProfileFragment;
type Order = CustomerOrdersQuery["orders"]["nodes"][number];

const perPage = 20;

const isCustomer = (node: Node | null | undefined): node is Customer => node != null && "email" in node;

export default function CustomerPage({ id: part }: { id: string }) {
  const id = outOfPath("Customer", part);
  const answer = useFresh(CustomerProfileDocument, { id }, 15_000);
  const found = answer.data?.node;
  const customer = isCustomer(found) ? found : null;
  return (
    <Page
      title={customer?.displayName ?? "Customer"}
      beside={customer?.roles.filter((role) => role !== "CUSTOMER").map((role) => (
        <Tag key={role} tone="busy">
          {role.toLowerCase()}
        </Tag>
      ))}
      actions={
        <Link href="/customers" className="button">
          All customers
        </Link>
      }
    >
      <Asked of={answer}>
        {() =>
          customer ? (
            <div className="customer">
              <div>
                <Profile of={customer} />
                <Rights of={customer} />
              </div>
              <div>
                <Orders id={customer.id} />
                <Sessions of={customer} />
              </div>
            </div>
          ) : (
            <Empty title="There is no such customer">
              <p>The account may have been erased on request.</p>
            </Empty>
          )
        }
      </Asked>
    </Page>
  );
}

function Profile({ of }: { of: Customer }) {
  const w = useWords();
  const facts: [string, ReactNode][] = [
    ["E-mail", <>{of.email} {of.emailVerified ? <Tag tone="good">confirmed</Tag> : <Tag>not confirmed</Tag>}</>],
    ["Phone", of.phone ?? <span className="quiet">none</span>],
    ["Language", of.locale],
    ["Advertisements", of.acceptsMarketing ? "welcome" : "not wanted"],
    ["Customer since", w.date(of.createdAt)],
    ["Changed", <When at={of.updatedAt} />],
  ];
  return (
    <Section title="Profile">
      <dl className="known">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {of.addresses.nodes.length > 0 && (
        <ul className="addresses">
          {of.addresses.nodes.map(({ id, formatted, phone }) => (
            <li key={id}>
              <address>
                {formatted.map((line) => (
                  <div key={line}>{line}</div>
                ))}
                {phone && <div>{phone}</div>}
              </address>
              {id === of.defaultAddress?.id && <Tag>default</Tag>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Orders({ id }: { id: string }) {
  const w = useWords();
  const may = useMay();
  const { after } = useCursor();
  const answer = useFresh(CustomerOrdersDocument, may("ORDERS_READ") ? { id, first: perPage, after } : null, 15_000);
  if (!may("ORDERS_READ")) return null;
  const columns: Column<Order>[] = [
    { name: "Order", cell: ({ id, number }) => <Link href={`/orders/${inPath("Order", id)}`}>{number}</Link> },
    { name: "State", cell: ({ status }) => <State of={orderStates[status]} /> },
    { name: "Placed", cell: ({ createdAt }) => <When at={createdAt} /> },
    { name: "Units", figures: true, cell: ({ totalQuantity }) => totalQuantity },
    { name: "Total", figures: true, cell: ({ totals }) => w.price(totals.totalAmount) },
  ];
  return (
    <Section title="Orders">
      <Asked of={answer} bars={3}>
        {({ orders: { nodes, pageInfo } }) => (
          <>
            <Table caption="The customer’s orders" columns={columns} rows={nodes} keyOf={({ id }) => id} empty="Nothing was bought with this account." />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
    </Section>
  );
}

function Sessions({ of }: { of: Customer }) {
  const may = useMay();
  const [asked, ask] = useState(false);
  const end = useAction(CustomerSessionsEndDocument, { problems: (data) => data.customerSessionsEnd?.userErrors ?? [], done: () => `${of.email} is signed out everywhere.`, renews: [CustomerProfileDocument] });
  const columns: Column<Customer["sessions"][number]>[] = [
    { name: "Device", cell: ({ device }) => <span className="device">{device ?? "unknown"}</span> },
    { name: "Signed in", cell: ({ createdAt }) => <When at={createdAt} /> },
    { name: "Last used", cell: ({ usedAt }) => <When at={usedAt} /> },
    { name: "Ends", cell: ({ expiresAt }) => <When at={expiresAt} /> },
  ];
  return (
    <Section
      title="Sessions"
      beside={
        may("CUSTOMERS_WRITE") &&
        of.sessions.length > 0 && (
          <button type="button" className="button button-small" onClick={() => ask(true)}>
            End all sessions
          </button>
        )
      }
    >
      <Table caption="Sessions that have not ended" columns={columns} rows={of.sessions} keyOf={({ id }) => id} empty="Signed in nowhere." />
      <Dialog title="End all sessions?" open={asked} close={() => ask(false)}>
        <form
          className="form"
          onSubmit={async (event) => {
            event.preventDefault();
            if (await end.press({ id: of.id })) ask(false);
          }}
        >
          <p>
            <strong>{of.email}</strong> is signed out on every device within moments, and can sign in again.
          </p>
          <DialogEnd name="End them" busy={end.busy} close={() => ask(false)} />
        </form>
      </Dialog>
    </Section>
  );
}

function Rights({ of }: { of: Customer }) {
  const w = useWords();
  const may = useMay();
  const viewer = useViewer();
  const [exporting, setExporting] = useState(false);
  const [erasing, setErasing] = useState(false);
  if (!may("CUSTOMERS_WRITE")) return null;
  const download = async () => {
    setExporting(true);
    try {
      const { customerDataExport: answer } = await ask(CustomerDataExportDocument, { id: of.id });
      const [problem] = answer?.userErrors ?? [];
      if (problem) notify(w.mishap(problem), true);
      else if (answer?.data) save({ name: `${of.email}.json`, content: new Blob([answer.data], { type: "application/json" }) });
    } catch (error) {
      notify(w.mishap(error instanceof Trouble ? error : { message: String(error) }), true);
    }
    setExporting(false);
  };
  return (
    <Section title="On request">
      <p className="quiet">What a customer may ask for: all that is kept about them, and to be forgotten.</p>
      <p className="row">
        <button type="button" className="button" disabled={exporting} onClick={() => void download()}>
          Export the data
        </button>
        {of.id !== viewer.id && (
          <button type="button" className="button" onClick={() => setErasing(true)}>
            Erase the customer…
          </button>
        )}
      </p>
      <Dialog title="Erase the customer?" open={erasing} close={() => setErasing(false)}>
        <Erase of={of} close={() => setErasing(false)} />
      </Dialog>
    </Section>
  );
}

function Erase({ of, close }: { of: Customer; close: () => void }) {
  const [, go] = useLocation();
  const [wrong, setWrong] = useState<string>();
  const erase = useAction(CustomerEraseDocument, { problems: (data) => data.customerErase?.userErrors ?? [], done: () => "The customer is forgotten.", renews: [CustomerProfileDocument, CustomersDocument] });
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("email") ?? "").trim();
    if (typed.toLowerCase() !== of.email.toLowerCase()) return setWrong("This is not the customer’s address.");
    if (await erase.press({ id: of.id })) go("/customers");
  };
  return (
    <form className="form" onSubmit={onSubmit} noValidate>
      <p>Profile and addresses are overwritten, all sessions end, and the address is free again. Orders keep what the law wants. It cannot be undone.</p>
      <Field name="email" label={`To be sure, type ${of.email}`} required autoComplete="off" autoCapitalize="off" spellCheck={false} wrong={wrong} />
      <DialogEnd name="Erase" danger busy={erase.busy} close={close} />
    </form>
  );
}
