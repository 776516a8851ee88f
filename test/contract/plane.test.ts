import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import { FakePlane } from "../fakes/plane.ts";
import { describePlane } from "./plane-behaviour.ts";
import { describeSound } from "./plane-sound.ts";

jest.setTimeout(30_000);

describePlane(
  "fake plane",
  () =>
    new FakePlane({ clock: systemClock, durationOf: (path) => (path.includes("missing") ? null : 1_000) }),
);

const clock = systemClock;
const log = silentLog;
const inProcess = (): InProcessPlane =>
  new InProcessPlane({ engine: createEngine({ clock, log }), clock, log, ffmpegPath: null });

describePlane("in this process", inProcess);
describeSound("in this process", inProcess);
