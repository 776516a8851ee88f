import { Ducking, type DuckWish } from "../../../src/player/ducking.ts";
import { localIce } from "../../contract/plane-rig.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane } from "../../fakes/plane.ts";

const channel = "!r:x";

test("a room's wish reaches the plane when it is uttered, and each channel that is opened later", async () => {
  const plane = new FakePlane({ clock: new FakeClock() });
  let wish: DuckWish = "off";
  const ducking = new Ducking({ plane, channel, wish: () => wish });
  const open = (): Promise<object> =>
    plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
  const come = (): void => plane.emit({ kind: "peer.state", channel, peer: "p", state: "connecting" });
  await open();
  come();
  expect(plane.duckDb(channel)).toBe(0);
  wish = "on";
  ducking.changed();
  expect(plane.duckDb(channel)).toBe(12);
  plane.crash();
  plane.up();
  // Nothing to tell it to: that harms nobody.
  ducking.changed();
  await open();
  expect(plane.duckDb(channel)).toBe(0);
  wish = 20;
  come();
  expect(plane.duckDb(channel)).toBe(20);
  wish = "off";
  ducking.changed();
  expect(plane.duckDb(channel)).toBe(0);
  ducking.close();
  wish = "on";
  come();
  expect(plane.duckDb(channel)).toBe(0);
});
