// A line between a client and the shop that can be cut.
import net from "node:net";

// proxy forwards connections to the address until it is closed. cut breaks
// those there are, and counts them; others may follow.
export async function proxy(address) {
  const target = new URL(address);
  const open = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(address);
  url.port = server.address().port;
  const cut = () => {
    const cut = open.size / 2;
    for (const end of open) end.resetAndDestroy();
    return cut;
  };
  return {
    url: url.href,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}
