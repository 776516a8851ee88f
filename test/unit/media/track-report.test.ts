import { silentLog } from "../../../src/base/log.ts";
import type { Playback } from "../../../src/media/audio/playback.ts";
import type { PlaneEvent } from "../../../src/media/plane.ts";
import { TrackReport } from "../../../src/media/track-report.ts";

const FRAME_MS = 20;

test.each([
  [0.5, 12],
  [1, 12],
  [2, 23],
])("at %f times its speed no more than half a second of a track is untold", (speed, count) => {
  const told: number[] = [];
  const emit = (event: PlaneEvent): void => {
    if (event.kind === "track.position") told.push(event.positionMs);
  };
  const report = new TrackReport({ channel: "c", log: silentLog, emit });
  report.begin();
  for (let frame = 1; frame <= 6_000 / FRAME_MS; frame++) {
    const playback: Pick<Playback, "positionMs" | "decoded"> = {
      positionMs: 60_000 + frame * FRAME_MS * speed,
      decoded: false,
    };
    report.progress("t", playback);
  }
  expect(told).toHaveLength(count);
  const steps = told.map((positionMs, index) => positionMs - (told[index - 1] ?? 60_000));
  expect(Math.max(...steps)).toBeLessThanOrEqual(560);
});
