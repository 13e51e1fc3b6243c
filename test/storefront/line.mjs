// A line between a browser and the shop that can be cut, or fall silent.
import { once } from "node:events";
import net from "node:net";

/** A line to the address; url is its near end. */
export async function line(address) {
  const target = new URL(address);
  const open = new Map(); // the ends, and where each leads
  let state = "whole";
  const server = net.createServer((near) => {
    if (state === "cut") return void near.resetAndDestroy();
    const far = net.connect(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.set(one, other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
      if (state === "whole") one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Breaks all connections, and lets no other one come about. */
    cut() {
      state = "cut";
      for (const end of open.keys()) end.resetAndDestroy();
    },
    /** Lets nothing through, and tells nobody. */
    hush() {
      state = "silent";
      for (const [one, other] of open) one.unpipe(other);
    },
    /** Is as good as new; what was held back arrives. */
    mend() {
      if (state === "silent") for (const [one, other] of open) one.pipe(other);
      state = "whole";
    },
    close() {
      for (const end of open.keys()) end.destroy();
      server.close();
    },
  };
}
