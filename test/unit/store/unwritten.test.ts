import { silentLog, type Log, type LogEvent } from "../../../src/base/log.ts";
import { Unwritten } from "../../../src/store/unwritten.ts";
import { FakeClock } from "../../fakes/clock.ts";

const FULL = Object.assign(new Error("database or disk is full"), { errcode: 13 });

let clock: FakeClock;
let logged: LogEvent[];
let disk: Map<string, string>;
let trouble: Error | null;
let unwritten: Unwritten;

beforeEach(() => {
  clock = new FakeClock();
  logged = [];
  disk = new Map();
  trouble = null;
  const note = (event: LogEvent): void => void logged.push(event);
  const log: Log = { ...silentLog, info: note, error: note };
  const write = (room: string, name: string, json: string | null): void => {
    if (trouble) throw trouble;
    if (json === null) disk.delete(`${room} ${name}`);
    else disk.set(`${room} ${name}`, json);
  };
  unwritten = new Unwritten({ write, clock, log });
});

test("what the disk does not take holds meanwhile, and is written when it does; told once at either end", () => {
  expect(unwritten.put("a", "queue", "1")).toBe(true);
  trouble = FULL;
  for (const json of ["2", "3"]) expect(unwritten.put("a", "queue", json)).toBe(false);
  expect(unwritten.put("a", "gone", null)).toBe(false);
  expect([unwritten.get("a", "queue"), unwritten.get("a", "gone"), unwritten.get("b", "queue")]).toEqual([
    "3",
    null,
    undefined,
  ]);
  clock.tick(10_000);
  expect([disk.get("a queue"), logged]).toEqual(["1", ["store_unwritten"]]);
  trouble = null;
  clock.tick(10_000);
  expect([...disk]).toEqual([["a queue", "3"]]);
  expect(unwritten.get("a", "queue")).toBeUndefined();
  expect(logged).toEqual(["store_unwritten", "store_written"]);
  expect(clock.pending).toBe(0);
});

test("what waits is written with what comes next, in order, and at the end", () => {
  trouble = FULL;
  unwritten.put("a", "list.1", "tracks");
  unwritten.put("a", "lists", "names");
  trouble = null;
  expect(unwritten.put("b", "queue", "1")).toBe(true);
  expect([...disk.keys()]).toEqual(["a list.1", "a lists", "b queue"]);
  trouble = FULL;
  unwritten.put("a", "queue", "last");
  trouble = null;
  unwritten.close();
  expect(disk.get("a queue")).toBe("last");
  expect(clock.pending).toBe(0);
});

test("a mistake of the program is none of the disk", () => {
  trouble = new TypeError("not SQLite");
  expect(() => unwritten.put("a", "queue", "1")).toThrow("not SQLite");
  expect(logged).toEqual([]);
});
