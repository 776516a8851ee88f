import { jest } from "@jest/globals";
import path from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { MediaPlane } from "../../src/media/plane.ts";
import { SpreadPlane, type SpreadOptions } from "../../src/media/spread.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { FakeChildPlane } from "../fakes/child-plane.ts";
import { describePlane } from "./plane-behaviour.ts";
import { connect, pause, temporaryDirectory, until, Watched, writeTone } from "./plane-rig.ts";

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

const clock = systemClock;
const log = silentLog;
const supervised = (): SupervisedPlane => new SupervisedPlane({ clock, log, ffmpegPath: null });
describePlane("a room on one of two children", () => roomOn(supervised));

describe("two children", () => {
  const directory = temporaryDirectory();
  let listener: InProcessPlane | null = null;
  afterEach(() => listener?.close());

  test("one is killed: its rooms lose it and get a new one, a room in the other plays on", async () => {
    const tone = await writeTone(path.join(directory(), "tone.wav"), 440, 20);
    const spread = new SpreadPlane({ children: 2, createChild: supervised });
    spreads.push(spread);
    const [one, two, three] = ["one", "two", "three"].map((name) => new Watched(spread.room(name)));
    await one!.open("one");
    await two!.open("two");
    listener = new InProcessPlane({ engine: createEngine({ clock, log }), clock, log, ffmpegPath: null });
    await connect(three!, new Watched(listener), "three");
    await three!.play("three", tone);
    expect(spread.children.map(({ rooms }) => rooms)).toEqual([2, 1]);
    const received = async (): Promise<number> =>
      (await listener!.request({ kind: "stats", channel: "three" })).peers[0]!.packetsReceived;
    await until("the first packet", () => three!.all("track.started")[0]);
    await pause(200);
    const before = await received();
    const sinceMs = clock.now();
    process.kill(spread.children[0]!.pid, "SIGKILL");
    for (const each of [one!, two!]) {
      await until("its loss and the new child", () => (each.states.length === 2 ? true : undefined));
      expect(each.states).toEqual(["down", "up"]);
    }
    await one!.open("one");
    await two!.open("two");
    await pause(500);
    const due = (clock.now() - sinceMs) / 20;
    expect((await received()) - before).toBeGreaterThan(due - 5);
    expect(three!.states).toEqual([]);
    expect(spread.children.map(({ rooms }) => rooms)).toEqual([2, 1]);
  });
});
