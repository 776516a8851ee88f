import { createSocket } from "node:dgram";
import type { Clock } from "../../../base/clock.ts";
import type { IceSettings } from "../../messages.ts";

/** A connection that was just closed frees its port a moment later. */
const WAIT_MS = 1000;
const AGAIN_MS = 50;
const MAX_TRIES = 1000;

/**
 * Calls `use` in a moment when a UDP port of the range was just seen free, so that the library finds one: it ends the
 * process when it does not. @returns false when there was none in about a second. @throws what `use` throws
 */
export async function withFreePort(
  portRange: IceSettings["portRange"],
  clock: Clock,
  use: () => void,
): Promise<boolean> {
  if (!portRange) {
    use();
    return true;
  }
  const deadline = clock.now() + WAIT_MS;
  for (;;) {
    if (await tryRange(portRange, use)) return true;
    if (clock.now() >= deadline) return false;
    await new Promise<void>((resolve) => void clock.timer(AGAIN_MS, resolve));
  }
}

async function tryRange([first, last]: readonly [number, number], use: () => void): Promise<boolean> {
  const count = last - first + 1;
  const start = Math.floor(Math.random() * count);
  const tries = Math.min(count, MAX_TRIES);
  for (let i = 0; i < tries; i++) if (await ifFree(first + ((start + i) % count), use)) return true;
  return false;
}

/** Tries both families at once, as the library does; where there is no IPv6, one. */
function ifFree(port: number, use: () => void, type: "udp6" | "udp4" = "udp6"): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      const noIpv6 = type === "udp6" && error.code !== "EADDRINUSE";
      resolve(noIpv6 ? ifFree(port, use, "udp4") : false);
    });
    socket.bind({ port, exclusive: true }, () => {
      socket.close(); // frees the port at once; `use` takes it before anything else of ours can run
      try {
        use();
        resolve(true);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
