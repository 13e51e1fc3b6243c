// What browsers have and this Node.js may not: WebSocket and EventSource.
// Loaded before a program (node --import), it makes code for browsers run.
import { EventSource } from "eventsource";
import WebSocket from "ws";

globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= EventSource;
