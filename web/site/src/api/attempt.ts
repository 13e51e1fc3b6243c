// Doing something once, however often it takes to hear that it is done.
import { passing, pause, Trouble } from "./client.ts";
import { visit } from "./device.ts";

function keyFor(kept: string, input: unknown): string {
  const print = JSON.stringify(input);
  try {
    const attempt = JSON.parse(visit.get(kept) ?? "null") as { key: string; print: string } | null;
    if (attempt?.print === print) return attempt.key;
  } catch {
    // Not ours: a new attempt.
  }
  const key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
  visit.set(kept, JSON.stringify({ key, print }));
  return key;
}

/**
 * Sends under an idempotency key, again where there was no answer. The key is
 * kept in this window under a name, with the input it belongs to, until there
 * is one: over repetitions, another press on the button and a reload.
 */
export async function attempt<Answer>(kept: string, input: unknown, send: (key: string) => Promise<Answer>, again?: () => void): Promise<Answer> {
  const key = keyFor(kept, input);
  for (let n = 0; ; n++) {
    try {
      const answer = await send(key);
      visit.remove(kept);
      return answer;
    } catch (error) {
      if (!(error instanceof Trouble) || !passing.has(error.code) || n === 3) throw error;
      again?.();
      await pause(n + 1);
    }
  }
}
