import { Link } from "wouter";
import { Section, State, Table, When } from "../../parts.tsx";
import type { Order } from "./order.tsx";

/** What services have still to tell each other about it. */
export function Facts({ order: { facts } }: { order: Order }) {
  if (!facts || facts.length === 0) return null;
  return (
    <Section title="Under way between services" beside={facts.some(({ dead }) => dead.length > 0) && <Link href="/dead-letters">Dead letters</Link>}>
      <Table
        caption="Facts that not all services have taken"
        rows={facts}
        keyOf={({ id }) => id}
        empty=""
        columns={[
          { name: "Fact", cell: ({ type }) => <span className="code">{type}</span> },
          { name: "Told by", cell: ({ service }) => service },
          { name: "Since", cell: ({ at }) => <When at={at} /> },
          { name: "Awaiting", cell: ({ awaiting }) => awaiting.join(", ") },
          { name: "Dead at", cell: ({ dead }) => dead.length > 0 && <State of={[dead.join(", "), "bad"]} /> },
          { name: "Told", figures: true, cell: ({ attempts }) => `${attempts} ×` },
        ]}
      />
    </Section>
  );
}
