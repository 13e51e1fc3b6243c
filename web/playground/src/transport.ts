import type { Fetcher, Observable } from "@graphiql/toolkit";
import { getOperationAST, GraphQLError, parse, type ExecutionResult } from "graphql";
import { createClient as createSSEClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import { useSyncExternalStore } from "react";
import { fill, learn } from "./memory";

const endpoint = new URL("/graphql", location.href);

// How subscriptions travel. Queries and mutations always go over HTTP.

export const transports = { websocket: "WebSocket", sse: "SSE" } as const;
export type Transport = keyof typeof transports;
export type Connection = "idle" | "connecting" | "connected" | "reconnecting";

const storageKey = "ordergraph.playground.transport";
const listeners = new Set<() => void>();
let state: { transport: Transport; connection: Connection } = {
  transport: localStorage.getItem(storageKey) === "sse" ? "sse" : "websocket",
  connection: "idle",
};

function change(next: Partial<typeof state>) {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function listen(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The chosen transport, and how the subscription that runs is connected. */
export const useTransport = () => useSyncExternalStore(listen, () => state);

/** Chooses the transport of the subscriptions to come, in this browser. */
export function chooseTransport(transport: Transport) {
  localStorage.setItem(storageKey, transport);
  change({ transport });
}

interface Request extends Record<string, unknown> {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

type Headers = Record<string, string>;

/**
 * Sends what GraphiQL runs, and learns from the answers what later tabs need.
 * What keeps it from being sent is told as an answer.
 */
export const fetcher: Fetcher = async ({ query, operationName, variables }, options) => {
  const headers: Headers = options?.headers ?? {};
  try {
    const { operation, name } = find(query, operationName);
    const request: Request = { query, operationName: name, variables: fill(variables) };
    return operation === "subscription" ? subscribe(request, headers) : await ask(request, headers);
  } catch (error) {
    return failure(error);
  }
};

// Right after a change of tabs GraphiQL still has the last one's operation in
// mind. A name that the document does not have is dropped, then: its only
// operation runs, or the shop says that there are several.
function find(query: string, given: string | null | undefined) {
  try {
    const document = parse(query);
    const name = given && getOperationAST(document, given) ? given : undefined;
    return { operation: getOperationAST(document, name)?.operation, name };
  } catch (error) {
    if (error instanceof GraphQLError) return {}; // the shop says what is wrong with it
    throw error;
  }
}

function failure(error: unknown): ExecutionResult {
  if (Array.isArray(error)) return { errors: error };
  if (error instanceof CloseEvent) error = `The WebSocket was closed: ${error.code} ${error.reason}`;
  return { errors: [new GraphQLError(error instanceof Error ? error.message : String(error))] };
}

async function ask(request: Request, headers: Headers): Promise<ExecutionResult> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json;q=0.9", ...headers },
    body: JSON.stringify(request),
  }).catch((cause) => {
    throw new Error(`The shop at ${endpoint.host} does not answer. Is it running?`, { cause });
  });
  const answer = await read(response);
  learn(answer.data);
  return answer;
}

async function read(response: Response): Promise<ExecutionResult> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The answer is not JSON. HTTP status ${response.status}: ${text.slice(0, 500)}`);
  }
}

// Every subscription has a connection of its own, so that the headers it was
// started with are those it is sent with.
function subscribe(request: Request, headers: Headers) {
  const answers = {
    subscribe(observer: Observer) {
      const client = state.transport === "sse" ? overSSE(headers) : overWebSocket(headers);
      let open = true;
      const end = (tell: () => void) => {
        if (!open) return; // it was stopped, and another may run by now
        open = false;
        change({ connection: "idle" });
        tell();
      };
      const stop = client.subscribe<NonNullable<ExecutionResult["data"]>>(request, {
        next: (answer) => observer.next(answer as ExecutionResult),
        error: (error) =>
          end(() => {
            observer.next(failure(error));
            observer.complete();
          }),
        complete: () => end(() => observer.complete()),
      });
      return { unsubscribe: () => end(stop) };
    },
  };
  return answers as Observable<ExecutionResult>; // of its forms GraphiQL calls this one
}

interface Observer {
  next(answer: ExecutionResult): void;
  complete(): void;
}

const progress = {
  connected: () => change({ connection: "connected" }),
  connecting: (again: boolean) => change({ connection: again ? "reconnecting" : "connecting" }),
};

function overWebSocket(headers: Headers) {
  const url = new URL(endpoint);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  // A page cannot give a WebSocket headers: they go into its first message.
  const connectionParams = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return createWebSocketClient({ url: url.href, connectionParams, on: progress });
}

function overSSE(headers: Headers) {
  // To graphql-sse a refusal is a lost connection, worth another attempt.
  let refusal: Response | undefined;
  return createSSEClient({
    url: endpoint.href,
    headers,
    on: progress,
    async fetchFn(input: RequestInfo, init: RequestInit) {
      const response = await fetch(input, init);
      refusal = response.status >= 400 && response.status < 500 ? response : undefined;
      return response;
    },
    async retry(attempts) {
      if (refusal) throw (await read(refusal)).errors ?? new Error(`HTTP status ${refusal.status}`);
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempts * (1 + Math.random())));
    },
  });
}
