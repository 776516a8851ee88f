import { LevelMeter } from "../../../src/media/audio/levels.ts";
import type { SpeakerLevel } from "../../../src/media/audio/levels.ts";
import { FakeClock } from "../../fakes/clock.ts";

test("reports the loudest of each speaker twice a second, ends with nobody, and sleeps in silence", () => {
  const clock = new FakeClock();
  const reports: SpeakerLevel[][] = [];
  const meter = new LevelMeter(clock, (speakers) => reports.push(speakers));
  meter.add("quiet", -127);
  expect(clock.pending).toBe(0);
  for (const level of [-40, -20, -30]) meter.add("a", level);
  meter.add("b", -50);
  clock.tick(500);
  meter.add("b", -45);
  clock.tick(2000);
  expect(reports).toEqual([
    [
      { speaker: "a", levelDbov: -20 },
      { speaker: "b", levelDbov: -50 },
    ],
    [{ speaker: "b", levelDbov: -45 }],
    [],
  ]);
  expect(clock.pending).toBe(0);
});

test("says nothing more once it is closed", () => {
  const clock = new FakeClock();
  let reports = 0;
  const meter = new LevelMeter(clock, () => reports++);
  meter.add("a", -20);
  meter.close();
  clock.tick(5000);
  expect(reports).toBe(0);
});
