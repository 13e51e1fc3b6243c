// Doing something once, however often it takes to hear that it is done.
import { passing, pause, Trouble } from "./client.ts";
import { visit } from "./device.ts";

// What tells one input from another without keeping it, for it may be personal:
// FNV-1a, 64 bits. It is compared with prints of this visit alone, and the shop
// refuses a key under which it had another input. SHA-256 is not to be had
// everywhere: browsers withhold crypto.subtle from pages without https.
function printOf(input: unknown): string {
  let print = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify(input))) print = BigInt.asUintN(64, (print ^ BigInt(byte)) * 0x100000001b3n);
  return print.toString(36);
}

function keyOf(attempt: string): string {
  const kept = visit.get(attempt);
  if (kept) return kept;
  const key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
  visit.set(attempt, key);
  return key;
}

/**
 * Sends under an idempotency key, again where there was no answer. The key is
 * kept in this window for what is done, by name, with this input, until there
 * is one: over repetitions, another press on the button and a reload.
 */
export async function attempt<Answer>(name: string, input: unknown, send: (key: string) => Promise<Answer>, again?: () => void): Promise<Answer> {
  const kept = `${name} ${printOf(input)}`;
  const key = keyOf(kept);
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
