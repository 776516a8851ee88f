import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import { ExportProgress } from "../../../src/recorder/delivery/export-progress.ts";
import type { Exporter, Splitter } from "../../../src/recorder/exporter.ts";
import { readJournal, type JournalFact } from "../../../src/recorder/journal.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDelivery } from "../../fakes/delivery.ts";
import { writeJournal } from "../../support/recording.ts";

const BYTES = 1_000_000;
const LENGTH_MS = 100_000;
const waveform = Array.from({ length: 100 }, (_, index) => index * 10);
const voice = (file: string) => ({
  ...{
    file,
    what: "voice" as const,
    title: file,
    userId: `@${file}:test`,
    bytes: BYTES,
    durationMs: LENGTH_MS,
  },
  ...{ mimeType: "audio/ogg", waveform },
});
const ZIP = { file: "all.zip", what: "zip" as const, mimeType: "application/zip", bytes: 2 * BYTES };

let dataDir: string;
let directory: string;
let clock: FakeClock;
let store: Store;
let room: FakeDelivery;
let cuts: number[];

/** Writes parts that are as large as is asked for, and as many as that takes. */
const exporter: Exporter & Splitter = {
  export: () => Promise.reject(new BotError("internal", "it was exported")),
  split: async (folder, file, { maxBytes }) => {
    cuts.push(maxBytes);
    await mkdir(join(folder, "parts"), { recursive: true });
    const count = Math.ceil(BYTES / maxBytes);
    const parts = Array.from({ length: count }, (_, index) => ({
      file: file.replace(".", ` (${index + 1} of ${count}).`),
      bytes: Math.floor(BYTES / count),
      fromMs: (index * LENGTH_MS) / count,
      durationMs: LENGTH_MS / count,
    }));
    for (const part of parts) await writeFile(join(folder, "parts", part.file), "x".repeat(part.bytes));
    return parts;
  },
};

/** What the room wanted when it was exported. */
let documents: (typeof ZIP)[];

async function recorded(
  files: readonly string[],
  ...facts: (JournalFact & { atMs: number })[]
): Promise<void> {
  await writeJournal(directory, [
    ...facts,
    { kind: "stop", reason: "command", byUserId: null, atMs: LENGTH_MS },
    { kind: "exported", durationMs: LENGTH_MS, tracks: files.map(voice), documents, atMs: LENGTH_MS },
  ]);
  await mkdir(join(directory, "export"), { recursive: true });
  for (const file of files) await writeFile(join(directory, "export", file), "x".repeat(BYTES));
  await writeFile(join(directory, "export", ZIP.file), "x".repeat(ZIP.bytes));
}
const archiveOf = (): RecordingArchive =>
  new RecordingArchive({
    ...{ dataDir, clock, log: silentLog, index: store.recordings, exporter, prefix: "!", room: () => room },
  });
const kinds = async (): Promise<string[]> => (await readJournal(directory)).entries.map(({ kind }) => kind);

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-delivery-"));
  directory = join(dataDir, "recordings", "r1");
  clock = new FakeClock();
  store = Store.open({ dataDir, clock, log: silentLog });
  room = new FakeDelivery();
  cuts = [];
  documents = [];
});
afterEach(async () => {
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("above the limit a track goes in numbered parts, each with its length and its share of the waveform", async () => {
  await recorded(["a.ogg"]);
  room.limit = BYTES / 2;
  await archiveOf().finish("r1");
  expect(room.sent).toEqual(["a (1 of 2).ogg", "a (2 of 2).ogg"]);
  expect(cuts).toEqual([BYTES / 2]);
  expect(room.files.get("a (2 of 2).ogg")).toMatchObject({
    bytes: BYTES / 2,
    audio: { durationMs: LENGTH_MS / 2, waveform: waveform.slice(50) },
  });
});

test("where only the homeserver's refusal tells its limit, parts are halved until they are taken", async () => {
  await recorded(["a.ogg"]);
  const tooLarge = (): BotError => new BotError("media_too_large", "413");
  room.errors.set("a.ogg", [tooLarge()]);
  room.errors.set("a (1 of 2).ogg", [tooLarge()]);
  await archiveOf().finish("r1");
  expect(cuts).toEqual([BYTES / 2, BYTES / 4]);
  expect(room.sent).toEqual([1, 2, 3, 4].map((part) => `a (${part} of 4).ogg`));
});

test("one that takes nothing at all is told where the file is", async () => {
  await recorded(["a.ogg"]);
  room.onCall = (what) => {
    if (what.startsWith("upload")) throw new BotError("media_too_large", "413");
  };
  await archiveOf().finish("r1");
  expect(room.sent).toEqual([]);
  expect(room.said).toEqual([
    { key: "record.too_large", params: { file: "a.ogg", path: "recordings/r1/export/a.ogg" } },
  ]);
});

test("the zip goes where the room wants it; above the limit the tracks in its place", async () => {
  documents = [ZIP];
  await recorded(["a.ogg", "b.ogg"]);
  await archiveOf().finish("r1");
  expect(room.sent).toEqual(["all.zip"]);
  expect(room.files.get("all.zip")).toMatchObject({ mimeType: "application/zip", audio: null });
  expect(room.said.at(-1)).toMatchObject({ key: "record.delivered_zip" });
  room = new FakeDelivery();
  room.limit = 1.5 * BYTES;
  await rm(directory, { recursive: true });
  await recorded(["a.ogg", "b.ogg"]);
  await archiveOf().finish("r1");
  expect(room.sent).toEqual(["a.ogg", "b.ogg"]);
});

test("the summary has the notes and what has to be known", async () => {
  await recorded(["a.ogg"]);
  const report = (lostPercent: number, clippedMs: number, silentPercent: number, hasClock = true) => ({
    ...{ hasClock, packets: { lostPercent }, level: { clippedMs, silentPercent } },
  });
  const info = {
    notes: [{ atMs: 60_000, text: "the joke", by: { name: "Ann" } }],
    gaps: [{ fromMs: 10_000, toMs: 25_000 }],
    removedTracks: 0,
    tracks: [
      { what: "voice", title: "Ann", report: report(0.5, 0, 40) },
      { what: "voice", title: "Bob", report: report(12.3, 65_000, 20) },
      { what: "voice", title: "Cem", report: report(0, 0, 100, false) },
      { what: "mix", title: "All", report: report(50, 90_000, 0) },
    ],
  };
  await writeFile(join(directory, "export", "info.json"), JSON.stringify(info));
  await archiveOf().finish("r1");
  expect(room.said).toHaveLength(1);
  expect(render(room.said[0]!).text.split("\n")).toEqual([
    "The recording: 1 file, 1:40 each.",
    "– Interruptions: 1, 15 s in all; there it is silent.",
    "– Of Bob 12 % of the packets were lost.",
    "– Bob is distorted for 1 min.",
    "– Of Cem nothing is to be heard.",
    "– Cem came without the sender's clock and is placed less exactly.",
    "– 1:00 the joke (Ann)",
  ]);
});

test("a kill between any two steps uploads no file twice that the homeserver has, and sends each once", async () => {
  await recorded(["a.ogg", "b.ogg"]);
  room.limit = BYTES / 2;
  for (let step = 1; !(await kinds()).includes("delivered"); step++) {
    // Everything up to that step reaches the homeserver; then we are gone.
    let calls = 0;
    room.onCall = () => {
      if (++calls > step) throw new BotError("forbidden", "killed");
    };
    const archive = archiveOf();
    const before = (await kinds()).filter((kind) => kind === "kept").length;
    await archive.finish("r1", { recovered: true });
    await archive.close();
    expect((await kinds()).filter((kind) => kind === "kept")).toHaveLength(before);
    expect(step).toBeLessThan(40);
  }
  expect(room.sent).toEqual(["a (1 of 2).ogg", "a (2 of 2).ogg", "b (1 of 2).ogg", "b (2 of 2).ogg"]);
  expect(room.uploads).toEqual(room.sent);
  expect(room.said.filter(({ key }) => key === "record.recovered")).toHaveLength(1);
});

test("a homeserver that answers nothing for long is waited for", async () => {
  await recorded(["a.ogg"]);
  let refusals = 20;
  room.onCall = (what) => {
    if (what.startsWith("post") && refusals-- > 0)
      throw new BotError("timeout", "waited", { retryable: true });
  };
  const work = archiveOf().finish("r1");
  for (let turn = 0; turn < 500 && room.said.length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.advance(30_000);
  }
  await work;
  expect(room.sent).toEqual(["a.ogg"]);
  expect(room.uploads).toHaveLength(1);
});

test("a long export says how far it is, once, and keeps that up to date", async () => {
  const progress = new ExportProgress({ room, id: "r1", clock });
  for (let percent = 0; percent <= 100; percent++) {
    progress.update(percent);
    await clock.advance(2_000);
  }
  await clock.advance(0);
  const percents = [...room.said, ...room.edits].map(({ params }) => params?.["percent"]);
  expect(percents).toEqual([15, 30, 50, 75]);
  const short = new ExportProgress({ room, id: "r2", clock });
  for (const percent of [0, 50, 100]) short.update(percent);
  expect(room.said).toHaveLength(1);
});
