import { useEffect, useState } from "react";
import { NotificationStatusDocument, type NotificationStatusSubscription } from "../../../api/gql.ts";
import { watch } from "../../../api/socket.ts";
import { useWords } from "../../../words/index.ts";

/**
 * What the customer was told, which moves by itself, too. Who may see the order
 * but not its messages sees none.
 */
export function Messages({ of: id, token }: { of: string; token: string | undefined }) {
  const w = useWords();
  const o = w.order;
  const [told, setTold] = useState<NotificationStatusSubscription["notificationStatus"]>();
  useEffect(() => {
    const variables = { id, token, after: undefined as number | undefined };
    return watch(
      NotificationStatusDocument,
      variables,
      ({ notificationStatus: next }) => {
        if (next.version <= (variables.after ?? -1)) return;
        variables.after = next.version;
        setTold(next);
      },
      () => {},
    );
  }, [id, token]);
  if (!told || told.notifications.length === 0) return null;
  return (
    <section aria-labelledby="messages">
      <h2 id="messages">{o.messages}</h2>
      <ul className="plain-list">
        {told.notifications.map(({ id, kind, channel, status, updatedAt }) => (
          <li key={id}>
            <span>
              {o.kinds[kind]} <span className="quiet small">{o.channels[channel]}</span>
            </span>
            <span className="quiet small">
              {o.messageStatus[status]} · <time dateTime={updatedAt}>{w.time(updatedAt)}</time>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
