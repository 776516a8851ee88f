import { createSocket } from "node:dgram";
import { need } from "../context.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";

/** Members of a busy channel, and some connections that are just being closed. */
const ENOUGH = 20;
const AT_ONCE = 100;

export const ports: Check = {
  id: "ports",
  about: "how many UDP ports of the configured range are free",
  limitMs: 20_000,
  async run(context): Promise<Finding> {
    const range = need(context, "icePorts");
    if (range === null) return ok("any free port is used (VOICEBOT_ICE_PORTS is not set)");
    const [first, last] = range;
    const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    let free = 0;
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const some = await Promise.all(all.slice(at, at + AT_ONCE).map((port) => isFree(port)));
      free += some.filter(Boolean).length;
    }
    const what = `${free} of ${all.length} UDP ports from ${first} to ${last} are free`;
    const running = await context.running();
    // A bot that runs has some of them, as it should.
    if (free === 0 && !running)
      return fail(what, "Another program has them: choose other ports in VOICEBOT_ICE_PORTS.");
    if (free >= ENOUGH || running) return ok(what);
    return warn(what, `Every member of every channel takes one: make the range larger (at least ${ENOUGH}).`);
  },
};

/** On both families, as the library takes it; where there is no IPv6, on one. */
function isFree(port: number, type: "udp6" | "udp4" = "udp6"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(
        type === "udp6" && error.code !== "EADDRINUSE" && error.code !== "EACCES"
          ? isFree(port, "udp4")
          : false,
      );
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
