// A line between a browser and the shop that can be cut, or fall silent.
import { once } from "node:events";
import net from "node:net";

/** A line to the address; url is its near end. */
export async function line(address) {
  const target = new URL(address);
  const open = new Set();
  let state = "whole";
  const server = net.createServer((near) => {
    if (state === "cut") return void near.resetAndDestroy();
    const far = net.connect(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
      if (state === "silent") one.pause();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Breaks all connections, and lets no other one come about. */
    cut() {
      state = "cut";
      for (const end of open) end.resetAndDestroy();
    },
    /** Lets nothing through, and tells nobody. */
    hush() {
      state = "silent";
      for (const end of open) end.pause();
    },
    /** Is as good as new; what was held back arrives. */
    mend() {
      state = "whole";
      for (const end of open) end.resume();
    },
    close() {
      for (const end of open) end.destroy();
      server.close();
    },
  };
}
