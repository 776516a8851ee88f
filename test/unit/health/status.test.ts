import { isAlive, notReady, type BotStatus, type ChannelStatus } from "../../../src/health/status.ts";
import { botStatus } from "../../fakes/bot-status.ts";

const reasons = (more: Partial<BotStatus>): string[] =>
  notReady(botStatus(more)).map(({ reason, room }) => (room === undefined ? reason : `${reason} ${room}`));
const channel = (more: Partial<ChannelStatus>): ChannelStatus => ({
  ...{ roomId: "!r:test", wanted: true, phase: "in", stands: true, links: ["connected"], ...more },
});

test("ready is who has synced lately and is in every channel that it is meant to be in", () => {
  expect(reasons({})).toEqual([]);
  expect(
    reasons({ channels: [channel({}), channel({ wanted: false, phase: "out", stands: false })] }),
  ).toEqual([]);
});

test("each reason is named, all at once", () => {
  const channels = [
    channel({ roomId: "!a:test", phase: "joining", stands: false }),
    channel({ roomId: "!b:test", stands: false }),
    channel({ roomId: "!c:test" }),
  ];
  expect(reasons({ syncAgeMs: 91_000, channels })).toEqual([
    "sync_stale",
    "channel_not_joined !a:test",
    "channel_not_joined !b:test",
  ]);
  expect(reasons({ syncAgeMs: null })).toEqual(["sync_stale"]);
});

test.each(["connecting", "starting", "closing"] as const)("while %s it is not ready", (phase) => {
  expect(reasons({ phase })).toEqual([phase]);
});

test("a poll that takes its time is no reason, and a loop that is stuck is not alive", () => {
  expect(reasons({ syncAgeMs: 61_000 })).toEqual([]);
  expect(isAlive(botStatus({ syncTurnMs: 300_000 }))).toBe(true);
  expect(isAlive(botStatus({ syncTurnMs: 361_000 }))).toBe(false);
  // While the homeserver is waited for there is no loop yet.
  expect(isAlive(botStatus({ syncTurnMs: null }))).toBe(true);
});
