// Watching: one WebSocket for everything that moves by itself.
import { createClient, type Client } from "graphql-ws";
import { passing, pause, ready, Trouble, type Operation } from "./client.ts";

let client: Client | undefined;
let unanswered: ReturnType<typeof setTimeout> | undefined;
const states = new Set<(connected: boolean) => void>();
const tell = (connected: boolean) => states.forEach((hear) => hear(connected));

// Waits so many milliseconds, or until the network is back.
const sooner = (most: number) =>
  new Promise<void>((done) => {
    const go = () => (clearTimeout(timer), removeEventListener("online", go), done());
    const timer = setTimeout(go, most);
    addEventListener("online", go);
  });

const open = () =>
  (client ??= createClient({
    // A connection ends with the session it was opened in: the next one is opened in a renewed one.
    url: async () => (await ready(), `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`),
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: (attempt) => sooner(Math.min(500 * 2 ** attempt, 15_000) * (0.75 + Math.random() / 2)),
    // A connection that died in silence is noticed: who does not answer is hung up on.
    keepAlive: 10_000,
    on: {
      connected: () => tell(true),
      closed: () => (clearTimeout(unanswered), tell(false)),
      ping: (received) => {
        const asked = client;
        if (!received) unanswered = setTimeout(() => asked?.terminate(), 10_000);
      },
      pong: (received) => void (received && clearTimeout(unanswered)),
    },
  }));

/** Calls back when the connection comes and goes. */
export function onConnection(hear: (connected: boolean) => void): () => void {
  states.add(hear);
  return () => void states.delete(hear);
}

/**
 * Watches something until the returned function is called. After a break, and
 * where the shop cannot say for the moment, it goes on by itself with the
 * variables as they are then: callers keep the version they saw last in them.
 */
export function watch<D, V>(operation: Operation<D, V>, variables: V, next: (data: D) => void, end: (error?: Trouble) => void): () => void {
  let left = false;
  let attempt = 0;
  let leave = () => {};
  const begin = () => {
    const mine = open();
    leave = mine.subscribe<D>(
      { query: operation.toString(), variables: variables as Record<string, unknown> },
      {
        next: ({ data, errors }) => {
          attempt = 0;
          if (errors?.[0]) end(new Trouble(String(errors[0].extensions?.["code"] ?? ""), errors[0].message));
          else if (data) next(data);
        },
        error: (errors) => {
          if (left) return;
          const first = Array.isArray(errors) ? errors[0] : undefined; // or the connection was closed
          const trouble = new Trouble(String(first?.extensions?.["code"] ?? "OFFLINE"), first?.message ?? "");
          if (!passing.has(trouble.code)) return end(trouble);
          void pause(Math.min(++attempt, 5)).then(() => left || begin());
        },
        complete: () => {
          if (left) return;
          if (client === mine) end();
          else begin(); // it was dropped for another
        },
      },
    );
  };
  begin();
  return () => {
    left = true;
    leave();
  };
}

/** Drops the connection, as when somebody signs in or out; what is watched is watched over another one. */
export function hangUp() {
  void client?.dispose();
  client = undefined;
}
