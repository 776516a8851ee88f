import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import type { MediaPlane } from "../../src/media/plane.ts";
import { SpreadPlane, type SpreadOptions } from "../../src/media/spread.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { FakeChildPlane } from "../fakes/child-plane.ts";
import { describePlane } from "./plane-behaviour.ts";

jest.setTimeout(30_000);

let spreads: SpreadPlane[] = [];
afterEach(async () => {
  await Promise.all(spreads.map((spread) => spread.close()));
  spreads = [];
});

/** A room's plane on up to two children. */
function roomOn(createChild: SpreadOptions["createChild"]): MediaPlane {
  const spread = new SpreadPlane({ children: 2, createChild });
  spreads.push(spread);
  return spread.room("room");
}

const durationOf = (path: string): number | null => (path.includes("missing") ? null : 1_000);
describePlane("a room on one of two fake children", () =>
  roomOn(() => new FakeChildPlane({ clock: systemClock, durationOf })),
);

describePlane("a room on one of two children", () =>
  roomOn(() => new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null })),
);
