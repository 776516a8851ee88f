import type { Clock } from "../base/clock.ts";
import type { ChannelSession } from "../channel/session.ts";

/** How long the first sound waits for somebody's connection, so that its beginning is heard. */
const FIRST_LISTENER_MS = 3_000;
/** The same after a restart, where nobody waits for an answer: a homeserver that limits us lets one offer go in five seconds. */
export const RETURN_MS = 60_000;

/** Joins, and waits a little for the first connection when there is somebody to connect to. @throws what `join` throws */
export async function joinHeard(channel: ChannelSession, clock: Clock): Promise<void> {
  await channel.join();
  await firstListener(channel, clock);
}

/** There is somebody to connect to, and nobody is connected yet. */
export function isAwaited(channel: Pick<ChannelSession, "members">): boolean {
  const members = channel.members();
  return members.length > 0 && !members.some(({ connected }) => connected);
}

/** Resolves with the first connection, or after `patienceMs`; at once when there is nobody to connect to. */
export async function firstListener(
  channel: Pick<ChannelSession, "members" | "onChange">,
  clock: Clock,
  patienceMs = FIRST_LISTENER_MS,
): Promise<void> {
  if (!isAwaited(channel)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      unsubscribe();
      resolve();
    };
    const timer = clock.timer(patienceMs, done);
    const unsubscribe = channel.onChange(() => {
      if (!isAwaited(channel)) done();
    });
  });
}
