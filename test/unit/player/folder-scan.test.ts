import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../src/base/clock.ts";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Measurement } from "../../../src/base/loudness.ts";
import { Catalogue } from "../../../src/player/library/catalogue.ts";
import { NO_TAGS } from "../../../src/player/library/entry.ts";
import { FolderScan, type MeasureOptions } from "../../../src/player/loudness/folder-scan.ts";
import { LoudnessStore } from "../../../src/player/loudness/store.ts";

const SHARE = 0.2;
const MEASURED: Measurement = { lufs: -12, truePeakDb: -1, isTagged: false, soundMs: 240_000, usedMs: 1_000 };

/** A clock on which every wait is over at once; what was waited for adds up. */
class QuickClock implements Clock {
  nowMs = 0;
  now = (): number => this.nowMs;
  wall = (): number => this.nowMs;
  timer(delayMs: number, run: () => void): { cancel: () => void } {
    const immediate = setImmediate(() => {
      this.nowMs += delayMs;
      run();
    });
    return { cancel: () => clearImmediate(immediate) };
  }
}

let base: string;
let root: string;
let clock: QuickClock;
let store: LoudnessStore;
let catalogue: Catalogue;
let scanned: string[];
let answer: (name: string, how: MeasureOptions) => Promise<Measurement>;
let urgent: boolean;
let isBusy: () => boolean;
let scan: FolderScan;

const open = (): void => {
  store = new LoudnessStore({ path: join(base, "loudness.db"), log: silentLog });
  scan = new FolderScan({
    ...{ clock, log: silentLog, share: SHARE, isBusy: () => isBusy() },
    scans: { store, isBusy: false },
    measure(path, how) {
      const name = path.slice(root.length + 1);
      scanned.push(name);
      return answer(name, how);
    },
  });
};
const add = async (name: string, mtimeMs: number, content = name): Promise<void> => {
  await writeFile(join(root, name), content);
  catalogue.put({ path: name, size: content.length, mtimeMs, tags: NO_TAGS });
};
const read = (): void => scan.read({ root, catalogue, isBusy: false });
const over = async (): Promise<void> => {
  // It takes a turn or two to make its list, and waits for disks then.
  for (let quiet = 0; quiet < 200; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (scan.progress !== null) quiet = 0;
  }
};
const again = (): void => {
  scan.close();
  store.close();
  scanned = [];
  open();
  read();
};

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "folder-scan-"));
  root = join(base, "media");
  await mkdir(root);
  [clock, catalogue, scanned, urgent] = [new QuickClock(), new Catalogue(), [], false];
  isBusy = () => urgent;
  answer = () => Promise.resolve(MEASURED);
  open();
});
afterEach(async () => {
  scan.close();
  store.close();
  await rm(base, { recursive: true, force: true });
});

test("everything is measured once, the newest first, the same content once, and a start has nothing left to do", async () => {
  await add("old.mp3", 1);
  await add("new.mp3", 3);
  await add("middle.mp3", 2);
  await add("copy.mp3", 0, "new.mp3");
  read();
  await over();
  expect(scanned).toEqual(["new.mp3", "middle.mp3", "old.mp3"]);
  again();
  await over();
  expect(scanned).toEqual([]);
  await add("old.mp3", 5, "written anew");
  read();
  await over();
  expect(scanned).toEqual(["old.mp3"]);
});

test("it takes its share of a core and no more, and keeps each to a rate", async () => {
  for (let i = 0; i < 20; i++) await add(`${i}.mp3`, i);
  let used = 0;
  const rates: (number | null)[] = [];
  answer = (_, { rate }) => {
    rates.push(rate);
    clock.nowMs += 500;
    used += 1_000;
    return Promise.resolve(MEASURED);
  };
  read();
  await over();
  expect(used / clock.nowMs).toBeLessThanOrEqual(SHARE * 1.01);
  expect(used / clock.nowMs).toBeGreaterThan(SHARE * 0.9);
  // 240 s of sound take a second of the processor, of which it has a fifth.
  expect(rates[0]).toBeLessThan(rates.at(-1)!);
  expect(rates.at(-1)).toBeCloseTo(48, 0);
});

test("what cannot be measured, what says itself how loud it is and what ends the bot is not begun for ever", async () => {
  for (const name of ["damaged.mp3", "hangs.mp3", "tagged.mp3", "no-ffmpeg.mp3", "killer.mp3"])
    await add(name, 1);
  answer = (name) => {
    if (name === "damaged.mp3") return Promise.reject(new BotError("media_unreadable", "x"));
    if (name === "hangs.mp3") return Promise.reject(new BotError("timeout", "x"));
    if (name === "no-ffmpeg.mp3") return Promise.reject(new BotError("ffmpeg_missing", "x"));
    return Promise.resolve({ ...MEASURED, isTagged: name === "tagged.mp3" });
  };
  const killer = catalogue.get("killer.mp3")!;
  store.begin("killer.mp3", killer);
  read();
  await over();
  expect(scanned.toSorted()).toEqual([
    "damaged.mp3",
    "hangs.mp3",
    "killer.mp3",
    "no-ffmpeg.mp3",
    "tagged.mp3",
  ]);
  again();
  await over();
  // Nothing was wrong with that one.
  expect(scanned).toEqual(["no-ffmpeg.mp3"]);
  await add("killer.mp3", 9, "another");
  for (let i = 0; i < 2; i++) store.begin("killer.mp3", catalogue.get("killer.mp3")!);
  answer = () => Promise.resolve(MEASURED);
  again();
  await over();
  expect(scanned).toEqual(["no-ffmpeg.mp3"]);
});

test("it gives way, tells how far it is, and ends at once", async () => {
  for (let i = 0; i < 3; i++) await add(`${i}.mp3`, i);
  let begun = 0;
  const second = Promise.withResolvers<void>();
  answer = (_, { signal }) => {
    if (++begun === 1) return Promise.resolve(MEASURED);
    second.resolve();
    return new Promise((__, reject) =>
      signal.addEventListener("abort", () => reject(new BotError("cancelled", "x"))),
    );
  };
  let asked = 0;
  isBusy = () => ++asked < 10;
  read();
  await second.promise;
  expect(clock.nowMs).toBeGreaterThanOrEqual(9 * 10_000);
  expect(scan.progress).toEqual({ files: 3, waiting: 2 });
  scan.close();
  await over();
  expect(begun).toBe(2);
  // What was under way is not held against it.
  answer = () => Promise.resolve(MEASURED);
  again();
  await over();
  expect(scanned).toEqual(["1.mp3", "0.mp3"]);
});

test("nothing outside of the folder is measured, whatever links lead there", async () => {
  await writeFile(join(base, "outside.mp3"), "x");
  await symlink(join(base, "outside.mp3"), join(root, "link.mp3"));
  catalogue.put({ path: "link.mp3", size: 1, mtimeMs: 1, tags: NO_TAGS });
  catalogue.put({ path: "gone.mp3", size: 1, mtimeMs: 1, tags: NO_TAGS });
  read();
  await over();
  expect(scanned).toEqual([]);
});

test("a program that cannot keep to a rate is not asked to again", async () => {
  await add("a.mp3", 2);
  await add("b.mp3", 1);
  const rates: (number | null)[] = [];
  answer = (_, { rate }) => {
    rates.push(rate);
    return rate === null
      ? Promise.resolve(MEASURED)
      : Promise.reject(
          new BotError("media_unreadable", "Error splitting the argument list: Option not found"),
        );
  };
  read();
  await over();
  expect(rates).toEqual([expect.any(Number), null, null]);
});
