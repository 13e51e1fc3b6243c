// GraphQL over HTTP: every audit of the reference implementation, whether the
// specification says MUST, SHOULD or MAY.
import assert from "node:assert/strict";
import test from "node:test";
import { serverAudits } from "graphql-http";
import { endpoint } from "./shop.mjs";

const audits = serverAudits({ url: endpoint });

test("there are audits", () => assert.ok(audits.length >= 61, `${audits.length} audits`));

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, { timeout: 60_000 }, async () => {
    const result = await audit.fn();
    assert.equal(result.status, "ok", `${result.reason}: ${result.response?.status}`);
  });
}
