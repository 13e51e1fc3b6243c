// Watches the order of the environment with graphql-ws, through whatever
// happens to the connection, and prints what it sees, a line each: the status
// and the version. It ends well when the order is confirmed, and badly when a
// version comes twice or goes back.
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import "./browser.mjs";
import { confirmed, documents, socket } from "./shop.mjs";

const client = createClient({
  url: socket,
  retryAttempts: 1_000,
  shouldRetry: () => true, // also when there is nobody to connect to
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
});
const variables = { id: process.env.ORDER, token: process.env.TOKEN };
for await (const { data, errors } of client.iterate({ query: documents.watch, variables })) {
  assert.equal(errors, undefined, JSON.stringify(errors));
  const now = data.orderStatus;
  assert.ok(now.version > (variables.after ?? 0), `version ${now.version} after ${variables.after}`);
  variables.after = now.version;
  const status = confirmed(now) ? "CONFIRMED" : now.status;
  console.log(`${status} ${now.version}`);
  if (confirmed(now)) break;
}
await client.dispose();
