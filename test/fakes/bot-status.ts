import type { BotStatus } from "../../src/health/status.ts";

/** A bot that is well, in one of its two channels with four people; `more` says otherwise. */
export const botStatus = (more: Partial<BotStatus> = {}): BotStatus => ({
  ...{ version: "1.2.3", uptimeMs: 7_300_000, phase: "running", syncAgeMs: 12_400, syncTurnMs: 12_400 },
  rooms: 3,
  channels: [
    {
      ...{ roomId: "!one:test", wanted: true, phase: "in", stands: true },
      links: ["connected", "connected", "connected", "offered"],
    },
    { roomId: "!two:test", wanted: false, phase: "out", stands: false, links: ["apart", "apart"] },
  ],
  outbox: { waiting: 2, oldestMs: 1_500, limited: true, refusals: 5 },
  media: { state: "up", children: [{ pid: 7, rooms: 1 }], engine: "libdatachannel", failures: 1 },
  recordings: { running: 1, waiting: 2, kept: 0 },
  levels: null,
  memory: { control: 90e6, media: 70e6 },
  ...more,
});
