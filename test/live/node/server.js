// The same job as the gateway's, as people do it on Node: graphql-ws on ws,
// graphql-js, and one Redis subscription for the whole process. An order's new
// state comes in the notice itself and its first state from Redis, where the
// gateway asks the order service for both: what Node saves by that is left to it.
//
//   PORT=… REDIS_PORT=… node --expose-gc server.js
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

const schema = buildSchema(`
  type Query { shop: String! }
  type Subscription { orderStatus(orderId: ID!, accessToken: String): Order! }
  type Order { id: ID! number: String! version: Int! status: String! updatedAt: String!
    timeline: [OrderTimelineEntry!]! totals: OrderTotals! }
  type OrderTimelineEntry { status: String! at: String! cause: String! }
  type OrderTotals { totalAmount: MoneyV2! }
  type MoneyV2 { amount: String! currencyCode: String! }
`);

const redis = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) };
const store = new Redis({ ...redis, enableAutoPipelining: true });
const notices = new Redis(redis);
const watched = new Map(); // by order: the Watches of it

notices.on('message', (_, text) => {
  const order = JSON.parse(text);
  for (const watch of watched.get(order.id) ?? []) watch.tell(order);
});

// A Watch is one subscription: the order as it is, then every change; who is
// slow gets the newest state and not all that went before it.
class Watch {
  constructor(id) {
    this.id = id;
    this.seen = 0;
    this.waiting = this.newest = null;
    this.ended = false;
    if (!watched.has(id)) watched.set(id, new Set());
    watched.get(id).add(this);
  }
  tell(order) {
    if (order.version <= Math.max(this.seen, this.newest?.version ?? 0)) return;
    if (!this.waiting) {
      this.newest = order;
      return;
    }
    this.seen = order.version;
    this.waiting({ value: { orderStatus: order }, done: false });
    this.waiting = null;
  }
  next() {
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    if (this.newest) {
      const order = this.newest;
      this.newest = null;
      this.seen = order.version;
      return Promise.resolve({ value: { orderStatus: order }, done: false });
    }
    return new Promise((resolve) => { this.waiting = resolve; });
  }
  return() {
    this.ended = true;
    const all = watched.get(this.id);
    all?.delete(this);
    if (all?.size === 0) watched.delete(this.id);
    this.waiting?.({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }
  [Symbol.asyncIterator]() { return this; }
}

schema.getSubscriptionType().getFields().orderStatus.subscribe = async (_, { orderId, accessToken }) => {
  const watch = new Watch(orderId); // before the order is read, so that no change is missed
  const order = JSON.parse(await store.get(orderId));
  if (order?.accessToken !== accessToken) {
    watch.return();
    throw new Error('There is no such order.');
  }
  watch.tell(order);
  return watch;
};

const http = createServer((request, response) => {
  if (request.url !== '/memory') {
    response.writeHead(404).end();
    return;
  }
  globalThis.gc();
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ ...process.memoryUsage(), connections: sockets.clients.size }));
});
const sockets = new WebSocketServer({ server: http, path: '/graphql' });
useServer({ schema }, sockets);

await notices.subscribe('live-bench');
http.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
