import type { RecordingReport } from "../../src/recorder/live-ports.ts";
import type { RecorderStatus } from "../../src/recorder/recorder.ts";

/** A recording that has been running for a minute. */
export const runningStatus: RecorderStatus = {
  ...{ phase: "recording", id: "20260102-030405-abc", title: null, automatic: false, paused: false },
  ...{ elapsedMs: 61_000, tracks: 2 },
};

export const runningReport: RecordingReport = {
  ...{ id: "20260102-030405-abc", title: null, byName: "Ann", elapsedMs: 61_000 },
  ...{ pausedForMs: null, gapForMs: null, tracks: 2, bytes: 1_240_000, freeBytes: 12.3e9, people: [] },
};
