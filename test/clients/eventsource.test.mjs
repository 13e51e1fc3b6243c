// EventSource, as browsers have it: a subscription by nothing but an address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventSource } from "eventsource";
import { proxy } from "./proxy.mjs";
import { ask, buy, cards, confirm, confirmed, documents, endpoint, patience, story, watching } from "./shop.mjs";

function address(url, query, variables) {
  const to = new URL(url);
  to.searchParams.set("query", query);
  to.searchParams.set("variables", JSON.stringify(variables));
  return to;
}

// watch follows an order until it is confirmed. EventSource connects again by
// itself, to the same address: what it then sees for the second time is left out.
function watch(order, url = endpoint, look = () => {}) {
  const seen = [];
  return new Promise((resolve, reject) => {
    const source = new EventSource(address(url, documents.watch, watching(order)));
    const end = (settle, value) => {
      source.close();
      settle(value);
    };
    source.addEventListener("next", async ({ data }) => {
      try {
        const { data: got, errors } = JSON.parse(data);
        assert.equal(errors, undefined, data);
        const now = got.orderStatus;
        if (now.version <= (seen.at(-1)?.version ?? 0)) return;
        seen.push(now);
        if (confirmed(now)) end(resolve, seen);
        else await look(now);
      } catch (error) {
        end(reject, error);
      }
    });
    source.addEventListener("complete", () => end(resolve, seen));
    source.addEventListener("error", (event) => {
      if (source.readyState === EventSource.CLOSED) end(reject, new Error(`${event.code} ${event.message}`));
    });
  });
}

test("an order until it is confirmed", { timeout: patience }, async () => {
  const order = await buy(cards.atTheBank);
  story(await watch(order, endpoint, () => confirm(order)), order);
});

test("a query: one answer, then the end", { timeout: patience }, async () => {
  const source = new EventSource(address(endpoint, documents.shop, {}));
  const events = await new Promise((resolve, reject) => {
    const events = [];
    source.addEventListener("next", ({ data }) => events.push(JSON.parse(data).data));
    source.addEventListener("complete", () => resolve([...events, "complete"]));
    source.addEventListener("error", ({ code, message }) => reject(new Error(`${code} ${message}`)));
  }).finally(() => source.close());
  assert.deepEqual(events, [await ask(documents.shop), "complete"]);
});

test("a document that is not valid is not asked for again and again", { timeout: patience }, async () => {
  const source = new EventSource(address(endpoint, "{ nothing }", {}));
  const { code } = await new Promise((resolve) => source.addEventListener("error", resolve));
  assert.equal(code, 400);
  assert.equal(source.readyState, EventSource.CLOSED);
});

test("a broken line", { timeout: patience }, async () => {
  const line = await proxy(endpoint);
  try {
    const order = await buy(cards.atTheBank);
    const seen = await watch(order, line.url, async () => {
      assert.ok(line.cut() > 0, "there was a connection to cut");
      await confirm(order);
    });
    story(seen, order);
  } finally {
    line.close();
  }
});
