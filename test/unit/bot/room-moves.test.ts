import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { silentLog } from "../../../src/base/log.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { Room } from "../../../src/matrix/room.ts";
import type { RoomEvent } from "../../../src/matrix/session.ts";
import { RoomMoves } from "../../../src/bot/room-moves.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeHomeserver, Gate } from "../../fakes/homeserver.ts";

const bot = "@bot:hs";
const mod = "@mod:other.test";
const OLD = "!old:hs";
const NEW = "!new";
const DAY_MS = 24 * 3_600_000;

let dataDir: string;
let store: Store;
const clock = new FakeClock();
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-moves-"));
  store = Store.open({ dataDir, clock, log: silentLog });
});
afterEach(async () => {
  store.close();
  await rm(dataDir, { recursive: true });
});

let serial = 0;
const event = (type: string, content: object): RoomEvent => ({
  ...{ eventId: `$${serial++}`, roomId: "", type, sender: mod, stateKey: "", originServerTs: 1, ageMs: 0 },
  ...{ content: content as Record<string, unknown>, prevContent: null, redacts: null, origin: "state" },
});

/** A run of the bot: rooms, a homeserver, and agents that note what they are told. */
class Bench {
  readonly clock = new FakeClock();
  readonly homeserver = new FakeHomeserver();
  readonly rooms = new Map<string, Room>();
  readonly log: string[] = [];
  readonly moves: RoomMoves;
  /** What keeps the old room's agent busy on its way out. */
  leaving: Promise<void> = Promise.resolve();
  held: Promise<void> | null = null;

  constructor() {
    this.homeserver
      .on("POST", /\/join\//, ({ path }) => this.log.push(`join ${path.split("/join/")[1]}`))
      .on("POST", /\/leave$/, ({ path }) => this.log.push(`leave ${path.split("/").at(-2)}`));
    this.moves = new RoomMoves({
      ...{ homeserver: this.homeserver, store, clock: this.clock, log: silentLog, rooms: () => this.rooms },
      onMoved: (roomId) => this.log.push(`deliver ${roomId}`),
      agent: (roomId) => ({
        holdUntil: (moved) => {
          this.held = moved;
        },
        refused: () => this.log.push(`refused ${roomId}`),
        out: async () => {
          this.log.push(`out ${roomId}`);
          await this.leaving;
        },
        in: async () => void this.log.push(`in ${roomId}`),
      }),
    });
  }

  room(id: string, ...state: RoomEvent[]): Room {
    const room = new Room(id, bot, [], this.clock);
    room.replace(state);
    this.rooms.set(id, room);
    return room;
  }

  old(content: object = { body: "moved", replacement_room: NEW }): Room {
    return this.room(OLD, event("m.room.tombstone", content));
  }

  next(predecessor: string = OLD): Room {
    return this.room(
      NEW,
      event("m.room.create", { room_version: "12", predecessor: { room_id: predecessor } }),
    );
  }

  refuse(times = Infinity): void {
    let left = times;
    this.homeserver.on("POST", /\/join\//, ({ path }) => {
      this.log.push("join");
      if (left-- > 0) throw new HomeserverError(403, "M_FORBIDDEN", "You are not invited", null);
      return { path };
    });
  }
}

const MOVE = [`out ${OLD}`, `in ${NEW}`, `deliver ${NEW}`, `leave ${OLD}`];
const via = "via=other.test&server_name=other.test&via=hs&server_name=hs";

test("a tombstone: joins, by way of who sent it; once in, moves what is kept, and leaves the old room", async () => {
  store.room(OLD).write("queue", { now: null });
  store.setChannelWanted(OLD, true);
  store.recordings.put({
    ...{ id: "r1", roomId: OLD, state: "exported", startedWallMs: 1, durationMs: null, tracks: null },
  });
  const bench = new Bench();
  bench.moves.look(bench.old());
  bench.moves.look(bench.old());
  await settle();
  expect(bench.log).toEqual([`join ${NEW}?${via}`]);
  expect(bench.moves.joined(bench.next())).toBe(true);
  expect(bench.moves.addressOf(OLD)).toBeNull();
  await settle();
  expect(bench.log.slice(1)).toEqual(MOVE);
  expect(store.room(NEW).read("queue", z.object({ now: z.null() }))).toEqual({ now: null });
  expect(store.channelWanted(NEW)).toBe(true);
  expect(store.channelWanted(OLD)).toBe(false);
  expect(store.recordings.ofRoom(NEW).map(({ id }) => id)).toEqual(["r1"]);
  expect(bench.moves.addressOf(OLD)).toBe(NEW);
  store.forgetRoom(OLD);
  expect(bench.moves.addressOf(OLD)).toBe(NEW);
});

test("what people ask for in the new room waits until it has what the old one kept", async () => {
  const bench = new Bench();
  const gate = new Gate<void>();
  bench.leaving = gate.promise;
  bench.moves.look(bench.old());
  bench.moves.joined(bench.next());
  let held = true;
  void bench.held?.then(() => (held = false));
  await settle();
  expect(held).toBe(true);
  gate.open();
  await settle();
  expect(held).toBe(false);
});

test("what the new room has by itself stays", async () => {
  store.room(OLD).write("queue", "old");
  store.room(OLD).write("position", "old");
  store.room(NEW).write("queue", "new");
  store.moveRoom(OLD, NEW);
  store.moveRoom(OLD, NEW);
  expect(store.room(NEW).read("queue", z.string())).toBe("new");
  expect(store.room(NEW).read("position", z.string())).toBe("old");
  expect(store.room(OLD).read("queue", z.string())).toBeNull();
});

test("in the new room before the tombstone is seen: moves at once", async () => {
  const bench = new Bench();
  bench.next();
  bench.moves.look(bench.old());
  await settle();
  expect(bench.log).toEqual(MOVE);
});

test("a room that says nothing of the old one, or names another: left again, nothing is moved", async () => {
  for (const predecessor of [null, "!another:hs"]) {
    const bench = new Bench();
    store.room(OLD).write("queue", 1);
    bench.moves.look(bench.old());
    await settle();
    expect(bench.moves.joined(predecessor === null ? bench.room(NEW) : bench.next(predecessor))).toBe(true);
    await settle();
    expect(bench.log).toEqual([`join ${NEW}?${via}`, `leave ${NEW}`]);
    expect(store.room(OLD).read("queue", z.number())).toBe(1);
  }
});

test("a tombstone that names a room in which we are for another reason changes nothing there", async () => {
  const bench = new Bench();
  bench.room(NEW);
  bench.moves.look(bench.old());
  await settle();
  expect(bench.log).toEqual([]);
});

test.each([undefined, 7, "", "#alias:hs", "new", "!a b", "!a/../b", `!${"a".repeat(300)}`, OLD])(
  "a tombstone with the replacement %j is none",
  async (replacement) => {
    const bench = new Bench();
    bench.moves.look(bench.old({ replacement_room: replacement }));
    await settle();
    expect(bench.log).toEqual([]);
  },
);

test("refused: told once, tried again with growing pauses, and an invitation is taken at once whoever it is from", async () => {
  const bench = new Bench();
  bench.refuse();
  bench.moves.look(bench.old());
  await bench.clock.advance(3_600_000);
  const tried = bench.log.filter((line) => line === "join").length;
  expect(tried).toBeGreaterThan(4);
  expect(tried).toBeLessThan(12);
  expect(bench.log.filter((line) => line === `refused ${OLD}`)).toHaveLength(1);
  bench.refuse(0);
  expect(bench.moves.invited("!another")).toBe(false);
  expect(bench.moves.invited(NEW)).toBe(true);
  await settle();
  expect(bench.log.at(-1)).toBe("join");
  bench.moves.joined(bench.next());
  await settle();
  expect(bench.log.slice(-4)).toEqual(MOVE);
  await bench.clock.advance(DAY_MS);
  expect(bench.log.at(-1)).toBe(`leave ${OLD}`);
});

test("after a day without success only an invitation counts", async () => {
  const bench = new Bench();
  bench.refuse();
  bench.moves.look(bench.old());
  await bench.clock.advance(DAY_MS + 3_600_000);
  const { length } = bench.log;
  await bench.clock.advance(DAY_MS);
  expect(bench.log).toHaveLength(length);
  expect(bench.moves.invited(NEW)).toBe(true);
  await settle();
  expect(bench.log).toHaveLength(length + 1);
});

test("a homeserver that is away is waited for without a word to the room", async () => {
  const bench = new Bench();
  let answers = 0;
  bench.homeserver.on("POST", /\/join\//, () => {
    if (++answers < 4) throw new HomeserverError(502, "", "bad gateway", null);
    return {};
  });
  bench.moves.look(bench.old());
  await bench.clock.advance(60_000);
  expect(answers).toBe(4);
  expect(bench.log).toEqual([]);
});

test("a start in the middle: before the new room, joins it; in it, moves; moved, leaves the old one and nothing else", async () => {
  const before = new Bench();
  before.old();
  expect([...before.moves.start()]).toEqual([]);
  await settle();
  expect(before.log).toEqual([`join ${NEW}?${via}`]);
  await before.moves.close();

  const inBoth = new Bench();
  inBoth.old();
  inBoth.next();
  expect([...inBoth.moves.start()].toSorted()).toEqual([NEW, OLD].toSorted());
  await settle();
  expect(inBoth.log).toEqual(MOVE);
  await inBoth.moves.close();

  const moved = new Bench();
  moved.old();
  moved.next();
  expect([...moved.moves.start()]).toEqual([OLD]);
  await settle();
  expect(moved.log).toEqual([`leave ${OLD}`]);
});

test("a shutdown in the middle of the move leaves it to the next start", async () => {
  const bench = new Bench();
  const gate = new Gate<void>();
  bench.leaving = gate.promise;
  store.room(OLD).write("queue", 1);
  bench.moves.look(bench.old());
  bench.moves.joined(bench.next());
  const closed = bench.moves.close();
  gate.open();
  await closed;
  expect(store.room(OLD).read("queue", z.number())).toBe(1);
  expect(bench.log).not.toContain(`leave ${OLD}`);
});

test("a room that was upgraded again and again: recordings go to the last one", () => {
  const bench = new Bench();
  store.moveRoom("!a", "!b");
  store.moveRoom("!b", "!c");
  expect(bench.moves.addressOf("!a")).toBe("!c");
  expect(bench.moves.addressOf("!c")).toBe("!c");
});
