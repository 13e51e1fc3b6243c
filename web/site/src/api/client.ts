// Asking the shop: one function over fetch, with the types of a gql.ts.

/** An operation as every gql.ts has them, with the types of what it takes and answers. */
export interface Operation<Data, Variables> {
  toString(): string;
  __apiType?: ((variables: Variables) => Data) | undefined;
}

/** Why there is no answer: a code of the shop's, or OFFLINE when it could not be reached. */
export class Trouble extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly reference?: string,
  ) {
    super(message);
  }
}

/** Codes after which the same request may be sent again. */
export const passing = new Set(["OFFLINE", "UNAVAILABLE", "TIMEOUT", "THROTTLED"]);

// What must happen before a request goes out: see session.ts.
let before: () => Promise<void> = async () => {};
export const beforeAsking = (step: () => Promise<void>) => void (before = step);

/** Resolves when a request may go out. */
export const ready = () => before();

/** Runs an operation. It is given up after half a minute. */
export async function ask<Data, Variables>(operation: Operation<Data, Variables>, variables: Variables): Promise<Data> {
  await ready();
  return askNow(operation, variables);
}

/** The same without renewing the session first. */
export async function askNow<Data, Variables>(operation: Operation<Data, Variables>, variables: Variables): Promise<Data> {
  let answer: { data?: Data; errors?: { message: string; extensions?: { code?: string; reference?: string } }[] };
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: operation.toString(), variables }),
      signal: AbortSignal.timeout(30_000),
    });
    answer = await response.json();
  } catch (error) {
    throw new Trouble("OFFLINE", error instanceof Error ? error.message : "");
  }
  const first = answer.errors?.[0];
  if (first) throw new Trouble(first.extensions?.code ?? "INTERNAL_SERVER_ERROR", first.message, first.extensions?.reference);
  if (answer.data == null) throw new Trouble("INTERNAL_SERVER_ERROR", "");
  return answer.data;
}

/** Waits a while that grows with each attempt, by chance a little more or less. */
export const pause = (attempt: number) => new Promise((done) => setTimeout(done, 500 * 2 ** attempt * (0.75 + Math.random() / 2)));
