import { Link } from "wouter";
import { Section, State, Table, Unavailable, When } from "../../parts.tsx";
import type { Order } from "./order.tsx";

/** What services have still to tell each other about it. */
export function Facts({ order: { facts } }: { order: Order }) {
  if (!facts || facts.nodes.length + facts.unavailable.length === 0) return null;
  return (
    <Section title="Under way between services" beside={facts.nodes.some(({ dead }) => dead.length > 0) && <Link href="/dead-letters">Dead letters</Link>}>
      <Unavailable services={facts.unavailable} />
      <Table
        caption="Facts that not all services have taken"
        rows={facts.nodes}
        keyOf={({ id }) => id}
        empty="The others have nothing to tell."
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
