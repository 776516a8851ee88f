// What the index of the media folder costs: 50,000 files with tags of their own are listed, read and looked for. `npm run bench -- library`
// leaves bench/results/library.json. Nothing here passes or fails.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { silentLog } from "../src/base/log.ts";
import { systemClock } from "../src/base/system-clock.ts";
import { MediaFolder } from "../src/player/library/folder.ts";
import { TagCache } from "../src/player/library/tag-cache.ts";
import { ChildTagReader } from "../src/player/library/tag-reader.ts";
import { matchNames } from "../src/player/resolver/match.ts";
import type { LibraryFigures } from "./support/figures.ts";
import { environment, writeResult } from "./support/results.ts";
import { median } from "./support/statistics.ts";
import { libraryTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const FILES = quick ? 2_000 : 50_000;
const QUERIES = 200;
const SAMPLE_MS = 1_000;
const WINDOW = 10;
const base = mkdtempSync(join(tmpdir(), "voicebot-library-"));
const root = join(base, "media");

// The same words every time (a linear congruential generator), some of them often, most of them seldom.
let seed = 1;
const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x80000000;
const SYLLABLES =
  "ba co da el fi go ha in ka lo ma ne or pa qui ro sa ti un va we xi yo zu sch ter ing ness".split(" ");
const word = (): string =>
  Array.from(
    { length: 2 + Math.floor(random() * 3) },
    () => SYLLABLES[Math.floor(random() * SYLLABLES.length)],
  ).join("");
const WORDS = Array.from({ length: 20_000 }, word);
const words = (count: number): string =>
  Array.from({ length: count }, () => WORDS[Math.floor(WORDS.length * random() ** 2)] ?? "").join(" ");

/** A tag as in ID3v2.3: sizes as four times seven bits for the whole, plain for a frame. */
function id3(frames: Record<string, string>): Buffer {
  const parts = Object.entries(frames).map(([id, text]) => {
    const body = Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    const head = Buffer.alloc(10);
    head.write(id, "latin1");
    head.writeUInt32BE(body.length, 4);
    return Buffer.concat([head, body]);
  });
  const all = Buffer.concat(parts);
  const size = [21, 14, 7, 0].map((shift) => (all.length >> shift) & 0x7f);
  return Buffer.concat([Buffer.from("ID3\x03\0\0", "latin1"), Buffer.from(size), all]);
}

/** Albums of ten, a folder each. */
function makeFiles(): string[] {
  const source = join(base, "sound.mp3");
  const sound = [
    "-f",
    "lavfi",
    "-i",
    "sine=440:duration=1",
    "-b:a",
    "32k",
    "-map_metadata",
    "-1",
    "-id3v2_version",
    "0",
  ];
  spawnSync("ffmpeg", ["-v", "error", ...sound, source]);
  const frames = readFileSync(source);
  const titles: string[] = [];
  for (let album = 0; album < FILES / 10; album++) {
    const [artist, name] = [words(2), `${words(2)} ${album}`];
    const folder = join(root, artist.slice(0, 1), artist, name);
    mkdirSync(folder, { recursive: true });
    for (let track = 1; track <= 10; track++) {
      const title = words(3);
      titles.push(title);
      const tag = id3({ TIT2: title, TPE1: artist, TALB: name });
      writeFileSync(
        join(folder, `${String(track).padStart(2, "0")} ${title}.mp3`),
        Buffer.concat([tag, frames]),
      );
    }
  }
  return titles;
}

/** CPU time of the child that reads tags, in ms, and its memory; zeros when there is none. */
function tagChild(): { cpuMs: number; bytes: number } {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (
        Number(fields[1]) !== process.pid ||
        !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("tag-child")
      )
        continue;
      return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, bytes: Number(fields[21]) * 4096 };
    } catch {
      continue; // Gone meanwhile.
    }
  }
  return { cpuMs: 0, bytes: 0 };
}

const ownMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const memory = (): { heap: number; resident: number } => {
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
};

function open(): MediaFolder {
  const cache = new TagCache({ path: join(base, "library.db"), log: silentLog });
  const reader = new ChildTagReader(systemClock);
  return new MediaFolder({ root, clock: systemClock, background: { log: silentLog, cache, reader } });
}

/** With what each second of it has cost, in ms of CPU time. */
async function index(folder: MediaFolder): Promise<{ ms: number; perSecond: number[]; childBytes: number }> {
  const perSecond: number[] = [];
  let [own, child, childBytes] = [ownMs(), 0, 0];
  let atMs = systemClock.now();
  const beganMs = atMs;
  const sample = (): void => {
    const now = { own: ownMs(), child: tagChild(), atMs: systemClock.now() };
    const used = now.own - own + Math.max(0, now.child.cpuMs - child);
    perSecond.push((used / (now.atMs - atMs)) * 1000);
    [own, child, atMs] = [now.own, now.child.cpuMs, now.atMs];
    childBytes = Math.max(childBytes, now.child.bytes);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  folder.start();
  await folder.settled();
  clearInterval(timer);
  return { ms: systemClock.now() - beganMs, perSecond, childBytes };
}

/** In ms of CPU time, which other load on the machine stretches hardly: what each of the queries takes. */
function ask(folder: MediaFolder, queries: readonly string[]): { medianMs: number; worstMs: number } {
  const times = queries.map((query) => {
    const beganMs = ownMs();
    matchNames(query, folder.catalogue);
    return ownMs() - beganMs;
  });
  return { medianMs: median(times), worstMs: Math.max(...times) };
}

const swapped = (text: string): string =>
  text.slice(0, 2) + text.slice(3, 4) + text.slice(2, 3) + text.slice(4);

try {
  const titles = makeFiles();
  const before = memory();
  const folder = open();
  const { ms, perSecond, childBytes } = await index(folder);
  const after = memory();
  console.error(`indexed after ${Math.round(ms / 1000)} s`);
  const tagged = [...folder.catalogue.entries()].filter(({ tags }) => tags?.durationMs).length;
  if (tagged !== FILES) throw new Error(`${tagged} of ${FILES} files have their tags`);
  const some = Array.from({ length: QUERIES }, () => titles[Math.floor(random() * titles.length)] ?? "");
  const queries = {
    title: ask(folder, some),
    words: ask(
      folder,
      some.map((title) => title.split(" ").slice(0, 2).join(" ")),
    ),
    beginnings: ask(
      folder,
      some.map((title) =>
        title
          .split(" ")
          .map((each) => each.slice(0, 3))
          .join(" "),
      ),
    ),
    errors: ask(
      folder,
      some.map((title) => title.split(" ").map(swapped).join(" ")),
    ),
    nothing: ask(
      folder,
      some.map((_, i) => `nothing${i} like${i} thiswordthere`),
    ),
    many: ask(
      folder,
      some.map(() => words(12)),
    ),
  };
  folder.close();
  const again = open();
  again.start();
  const restartMs = systemClock.now();
  await again.known();
  const knownMs = systemClock.now() - restartMs;
  await again.current();
  const listedMs = systemClock.now() - restartMs;
  await again.settled();
  again.close();
  const windows = perSecond
    .map((_, i) => perSecond.slice(i, i + WINDOW))
    .filter(({ length }) => length === WINDOW);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const figures: LibraryFigures = {
    ...{ files: FILES, indexMs: ms, knownMs, listedMs, queries, childBytes },
    share: mean(perSecond) / 1000,
    worstShare: Math.max(...windows.map(mean)) / 1000,
    heapBytes: after.heap - before.heap,
    residentBytes: after.resident - before.resident,
  };
  if (!quick) writeResult("library", { environment: environment("npm run bench -- library"), figures });
  console.log(libraryTable(figures));
} finally {
  rmSync(base, { recursive: true, force: true });
}
