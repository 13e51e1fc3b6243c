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

/** Sends what GraphiQL runs, and learns from the answers what later tabs need. */
export const fetcher: Fetcher = ({ query, operationName, variables }, options) => {
  const headers: Headers = options?.headers ?? {};
  const request: Request = {
    query,
    ...(operationName ? { operationName } : {}),
    ...(variables ? { variables: fill(variables) as Record<string, unknown> } : {}),
  };
  return isSubscription(request) ? subscribe(request, headers) : ask(request, headers);
};

function isSubscription({ query, operationName }: Request) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch (error) {
    if (error instanceof GraphQLError) return false; // the shop says what is wrong with it
    throw error;
  }
}

async function ask(request: Request, headers: Headers) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json;q=0.9", ...headers },
    body: JSON.stringify(request),
  }).catch((cause) => {
    throw new Error(`The shop at ${endpoint.host} does not answer. Is it running?`, { cause });
  });
  const text = await response.text();
  try {
    const answer = JSON.parse(text);
    learn(answer.data);
    return answer;
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
      const stop = client.subscribe<ExecutionResult["data"] & {}>(request, {
        next: (answer) => observer.next(answer as ExecutionResult),
        error: (error) => end(() => observer.error(explain(error))),
        complete: () => end(() => observer.complete()),
      });
      return { unsubscribe: () => end(stop) };
    },
  };
  return answers as Observable<ExecutionResult>; // of its forms GraphiQL calls this one
}

interface Observer {
  next(answer: ExecutionResult): void;
  error(error: unknown): void;
  complete(): void;
}

function explain(error: unknown) {
  return error instanceof CloseEvent ? new Error(`The WebSocket was closed: ${error.code} ${error.reason}`.trim()) : error;
}

const progress = {
  connected: () => change({ connection: "connected" }),
  connecting: (again: boolean) => change({ connection: again ? "reconnecting" : "connecting" }),
};

function overWebSocket(headers: Headers) {
  const url = new URL(endpoint);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return createWebSocketClient({ url: url.href, connectionParams: headers, on: progress });
}

function overSSE(headers: Headers) {
  return createSSEClient({ url: endpoint.href, headers, on: progress });
}
