// Who works here, and as what.
import { useState } from "react";
import { useQuery } from "../../api/query.ts";
import { Field } from "../../ui/field.tsx";
import { useForm } from "../../ui/form.ts";
import { Wrong } from "../../ui/state.tsx";
import { useAction } from "../action.ts";
import { StaffCreateDocument, StaffDocument, StaffRolesDocument, type Role, type StaffQuery } from "../gql.ts";
import { Asked, Dialog, DialogEnd, Page, Pager, Table, Tag, useCursor, When, type Column } from "../parts.tsx";
import { useViewer } from "../viewer.ts";
import "./pages.css";

type Member = StaffQuery["customers"]["nodes"][number];

const perPage = 50;

const roles: { role: Role; name: string; does: string }[] = [
  { role: "SUPPORT", name: "Support", does: "helps customers: orders, refunds, messages, profiles" },
  { role: "WAREHOUSE", name: "Warehouse", does: "picks, packs, ships and counts" },
  { role: "MERCHANT", name: "Merchant", does: "decides what is sold and for how much; sees how the shop fares" },
  { role: "ADMIN", name: "Administrator", does: "runs the shop: everything, and who works here" },
];

export default function Staff() {
  const viewer = useViewer();
  const { after } = useCursor();
  const answer = useQuery(StaffDocument, { first: perPage, after });
  const [taking, setTaking] = useState(false);
  const [changed, change] = useState<Member>();
  const columns: Column<Member>[] = [
    { name: "E-mail", cell: ({ email }) => email },
    { name: "Name", cell: ({ displayName, email }) => (displayName === email ? "" : displayName) },
    {
      name: "Roles",
      cell: (member) => (
        <span className="where">
          {member.roles.map((role) => (
            <Tag key={role} tone="busy">
              {roles.find((one) => one.role === role)?.name ?? role.toLowerCase()}
            </Tag>
          ))}
        </span>
      ),
    },
    { name: "Since", cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      name: "Change",
      plain: true,
      cell: (member) =>
        member.id === viewer.id ? (
          <span className="quiet">you</span>
        ) : (
          <button type="button" className="button button-small" onClick={() => change(member)}>
            Change roles<span className="visually-hidden"> of {member.email}</span>
          </button>
        ),
    },
  ];
  return (
    <Page
      title="Staff"
      actions={
        <button type="button" className="button button-main" onClick={() => setTaking(true)}>
          Take somebody on
        </button>
      }
    >
      <Asked of={answer}>
        {({ customers: { nodes, pageInfo } }) => (
          <>
            <Table caption="Who works here" columns={columns} rows={nodes} keyOf={({ id }) => id} empty="Nobody works here." />
            <Pager of={pageInfo} />
          </>
        )}
      </Asked>
      <Dialog title="Take somebody on" open={taking} close={() => setTaking(false)}>
        <TakeOn close={() => setTaking(false)} />
      </Dialog>
      <Dialog title="Change roles" open={!!changed} close={() => change(undefined)}>
        {changed && <Change of={changed} close={() => change(undefined)} />}
      </Dialog>
    </Page>
  );
}

function Roles({ of }: { of: readonly Role[] }) {
  return (
    <fieldset className="roles">
      <legend>Roles</legend>
      {roles.map(({ role, name, does }) => (
        <label key={role} className="check">
          <input type="checkbox" name={role} defaultChecked={of.includes(role)} />
          <span>
            {name} <span className="quiet">{does}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const chosen = (has: (name: string) => boolean) => roles.filter(({ role }) => has(role)).map(({ role }) => role);

function TakeOn({ close }: { close: () => void }) {
  const create = useAction(StaffCreateDocument, { problems: (data) => data.staffCreate?.userErrors ?? [], done: () => "Welcome: a link that sets a password is mailed.", renews: [StaffDocument] });
  const form = useForm(async ({ text, has }) => {
    const taken = chosen(has);
    if (taken.length === 0) return [{ message: "Choose at least one role." }];
    const problems = await create.run({ input: { email: text("email"), firstName: text("firstName") || undefined, lastName: text("lastName") || undefined, roles: taken } });
    if (problems.length === 0) close();
    return problems;
  });
  return (
    <form className="form" onSubmit={form.onSubmit} noValidate>
      <Field name="email" type="email" label="E-mail" required autoComplete="off" wrong={form.wrongs["email"]} />
      <div className="two">
        <Field name="firstName" label="First name" autoComplete="off" wrong={form.wrongs["firstName"]} />
        <Field name="lastName" label="Last name" autoComplete="off" wrong={form.wrongs["lastName"]} />
      </div>
      <Roles of={[]} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <DialogEnd name="Take on" busy={form.busy} close={close} />
    </form>
  );
}

function Change({ of, close }: { of: Member; close: () => void }) {
  const update = useAction(StaffRolesDocument, { problems: (data) => data.staffRolesUpdate?.userErrors ?? [], done: () => `The roles of ${of.email} are changed.`, renews: [StaffDocument] });
  const form = useForm(async ({ has }) => {
    const problems = await update.run({ id: of.id, roles: chosen(has) });
    if (problems.length === 0) close();
    return problems;
  });
  return (
    <form className="form" onSubmit={form.onSubmit} noValidate>
      <p>
        <strong>{of.email}</strong> is signed out, and may do what is chosen here from the next sign-in on. Without a role the account is a customer’s.
      </p>
      <Roles of={of.roles} />
      {form.wrongs[""] && <Wrong>{form.wrongs[""]}</Wrong>}
      <DialogEnd name="Change" busy={form.busy} close={close} />
    </form>
  );
}
