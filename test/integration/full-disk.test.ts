import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, stat, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KeptSound } from "../../src/media/kept-sound.ts";
import type { PlaneEvent } from "../../src/media/plane.ts";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { z } from "zod";
import { silentLog } from "../../src/base/log.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { Store } from "../../src/store/store.ts";
import { until } from "../contract/plane-rig.ts";
import { FakeClock } from "../fakes/clock.ts";
import { aPlaneContext } from "../fakes/plane-context.ts";

/** A disk of 256 kB (a file system of its own in memory; needs root). */
let disk: string;
let clock: FakeClock;
let events: PlaneEvent[];
let kept: KeptSound;
let sequence: number;

beforeEach(() => {
  disk = mkdtempSync(path.join(tmpdir(), "full-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "none", disk]);
  mkdirSync(path.join(disk, "recording"));
  clock = new FakeClock();
  events = [];
  sequence = 0;
  kept = new KeptSound("room", aPlaneContext({ clock, emit: (event) => events.push(event) }), () => []);
});
afterEach(async () => {
  await kept.close();
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
});

const into = (): string => path.join(disk, "recording");
const failed = (): boolean => events.some(({ kind }) => kind === "record.failed");
/** One second of both. */
async function speak(): Promise<void> {
  for (let frame = 0; frame < 50; frame++) {
    sequence = (sequence + 1) & 0xffff;
    for (const speaker of ["ann", "bob"])
      kept.audio(speaker, {
        ...{ kind: "opus", payload: new Uint8Array(160).fill(frame), ssrc: 1, sequence },
        ...{ timestamp: sequence * 960, marker: false, arrivalMs: clock.now(), levelDbov: -20 },
      });
  }
  clock.tick(1_000);
  // The next timer is set when the disk has it.
  await until("the flush", () => (clock.pending > 0 || failed() ? true : undefined));
}

test("a disk that is full in mid-recording: it is told once, and what was written is whole and readable", async () => {
  await kept.start({ recording: "r", directory: into(), speakers: ["ann", "bob"] });
  let seconds = 0;
  for (; !failed() && seconds < 60; seconds++) await speak();
  for (let more = 0; more < 3; more++) kept.audio("ann", audioOf());
  await kept.stop();
  expect(events.filter(({ kind }) => kind === "record.failed")).toEqual([
    expect.objectContaining({ recording: "r", detail: expect.stringContaining("ENOSPC") }),
  ]);
  let packets = 0;
  for (const file of await readdir(into())) {
    const reader = await TrackReader.open(path.join(into(), file));
    const found: number[] = [];
    for await (const record of reader.records()) if (record.type === "packet") found.push(record.sequence);
    expect(found).toEqual(found.map((_, i) => i + 1));
    expect(reader.end!.validBytes + reader.end!.tornBytes).toBe((await stat(path.join(into(), file))).size);
    packets += found.length;
  }
  // Of 13 s that fit (189 bytes a packet) only what was in the last flush is missing.
  expect(packets).toBeGreaterThan((seconds - 2) * 100);
  expect(seconds).toBeGreaterThan(10);
});

test("a full disk keeps nobody from being erased, and a clip that does not fit leaves nothing", async () => {
  await kept.start({ recording: "r", directory: into(), speakers: ["ann", "bob"] });
  kept.keepClip(["ann"], 60);
  await speak();
  // All that is left but three pages: no room for anybody's next second.
  const room = Buffer.alloc(4_096);
  for (let i = 0; ; i++) {
    const wrote = await writeFile(path.join(disk, `filler-${i}`), room).catch(() => "full");
    if (wrote === "full") break;
  }
  await expect(kept.writeClip({ recording: "c", directory: disk, seconds: 60 })).rejects.toMatchObject({
    code: "disk_full",
  });
  expect((await readdir(disk)).filter((name) => name.startsWith("voice"))).toEqual([]);
  expect(await kept.erase("bob")).toEqual(["voice-002.mvt"]);
  expect((await readdir(into())).filter((name) => name.endsWith(".mvt"))).toEqual(["voice-001.mvt"]);
});

function audioOf(): Parameters<KeptSound["audio"]>[1] {
  return {
    ...{ kind: "opus", payload: Uint8Array.of(1), ssrc: 1, sequence: 1, timestamp: 1 },
    ...{ marker: false, arrivalMs: 1, levelDbov: null },
  };
}

test("the bot's own memory of a room holds while the disk is full, and is kept when there is place again", async () => {
  const logged: string[] = [];
  const note = (event: string): void => void logged.push(event);
  const log = { ...silentLog, info: note, error: note };
  const store = Store.open({ dataDir: disk, clock, log });
  const room = store.room("!a:b");
  expect(room.write("queue", "before")).toBe(true);
  const filler = path.join(disk, "filler");
  await writeFile(filler, Buffer.alloc(256 * 1024)).catch(() => undefined);
  let isKept = true;
  for (let i = 0; isKept && i < 50; i++) isKept = room.write("queue", `${i}`.padEnd(20_000, "x"));
  expect([isKept, room.write("position", 7)]).toEqual([false, false]);
  expect([room.read("position", z.number()), room.has("queue"), logged]).toEqual([
    7,
    true,
    ["store_unwritten"],
  ]);
  rmSync(filler);
  expect(room.write("queue", "after")).toBe(true);
  store.close();
  const again = Store.open({ dataDir: disk, clock, log });
  expect(again.room("!a:b").read("position", z.number())).toBe(7);
  expect(again.room("!a:b").read("queue", z.string())).toBe("after");
  again.close();
  expect(logged).toEqual(["store_unwritten", "store_written"]);
});

test.each([40_960, 32_768, 4_096, 0])(
  "an older store for whose upgrade there is no place (%i bytes) is left as it is, and upgraded when there is",
  async (left) => {
    const older = new DatabaseSync(path.join(disk, "bot.db"));
    older.exec(`PRAGMA journal_mode = WAL; ${MIGRATIONS[0]}; PRAGMA user_version = 1`);
    older.prepare("INSERT INTO rooms VALUES ('!a:b', 'queue', ?)").run(JSON.stringify("x".repeat(8_000)));
    older.close();
    const { bavail, bsize } = await statfs(disk);
    const filler = path.join(disk, "filler");
    await writeFile(filler, Buffer.alloc(bavail * bsize - left));
    const logged: string[] = [];
    const log = { ...silentLog, error: (event: string): void => void logged.push(event) };
    expect(() => Store.open({ dataDir: disk, clock, log })).toThrow(
      /bot\.db cannot be used .*disk may be full/,
    );
    expect(logged).toEqual([]);
    rmSync(filler);
    const store = Store.open({ dataDir: disk, clock, log });
    expect(store.room("!a:b").read("queue", z.string())).toHaveLength(8_000);
    store.close();
  },
);
