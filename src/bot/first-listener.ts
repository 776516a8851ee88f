import type { Clock } from "../base/clock.ts";
import type { ChannelSession } from "../channel/session.ts";

/** How long the first sound waits for somebody's connection, so that its beginning is heard. */
const FIRST_LISTENER_MS = 3_000;

/** Joins, and waits a little for the first connection when there is somebody to connect to. @throws what `join` throws */
export async function joinHeard(channel: ChannelSession, clock: Clock): Promise<void> {
  await channel.join();
  await firstListener(channel, clock);
}

/** Resolves with the first connection, or after a little while; at once when there is nobody to connect to. */
export async function firstListener(
  channel: Pick<ChannelSession, "members" | "onChange">,
  clock: Clock,
): Promise<void> {
  const waiting = (): boolean => {
    const members = channel.members();
    return members.length > 0 && !members.some(({ connected }) => connected);
  };
  if (!waiting()) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      unsubscribe();
      resolve();
    };
    const timer = clock.timer(FIRST_LISTENER_MS, done);
    const unsubscribe = channel.onChange(() => {
      if (!waiting()) done();
    });
  });
}
