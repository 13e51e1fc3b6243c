import { useAction } from "../../action.ts";
import { ResendDocument, StaffOrderDocument } from "../../gql.ts";
import { Section, State, Table, When } from "../../parts.tsx";
import { useMay } from "../../viewer.ts";
import { channels, messageKinds, messageStates } from "../../words.ts";
import type { Order } from "./order.tsx";

export function Messages({ order: { notifications } }: { order: Order }) {
  const may = useMay();
  const resend = useAction(ResendDocument, {
    problems: ({ notificationResend }) => notificationResend?.userErrors ?? [],
    done: () => "It is sent once more.",
    renews: [StaffOrderDocument],
  });
  if (notifications.length === 0) return null;
  return (
    <Section title="Messages">
      <Table
        caption="Messages to the customer"
        rows={notifications}
        keyOf={({ id }) => id}
        empty=""
        columns={[
          {
            name: "Message",
            cell: ({ kind, channel }) => (
              <>
                {messageKinds[kind]} <span className="quiet">{channels[channel]}</span>
              </>
            ),
          },
          { name: "Status", beside: true, cell: ({ status }) => <State of={messageStates[status]} /> },
          { name: "Changed", cell: ({ updatedAt }) => <When at={updatedAt} /> },
          {
            name: "Tries",
            cell: ({ attempts, nextAttemptAt }) => (
              <ul className="small">
                {attempts?.map(({ at, route, outcome }) => (
                  <li key={at}>
                    {route} <span className="code">{outcome ?? "not known"}</span>
                  </li>
                ))}
                {nextAttemptAt && (
                  <li className="quiet">
                    next <When at={nextAttemptAt} />
                  </li>
                )}
              </ul>
            ),
          },
          ...(may("NOTIFICATIONS_RESEND")
            ? [
                {
                  name: "Send again",
                  plain: true,
                  figures: true,
                  cell: ({ id, kind, channel, status }: Order["notifications"][number]) =>
                    status !== "QUEUED" && (
                      <button type="button" className="button button-small" disabled={resend.busy} aria-label={`Send again: ${messageKinds[kind]} by ${channels[channel]}`} onClick={() => void resend.press({ id })}>
                        Send again
                      </button>
                    ),
                },
              ]
            : []),
        ]}
      />
    </Section>
  );
}
