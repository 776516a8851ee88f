import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eraseVoice, ownKeys } from "../../../../src/recorder/consent/erase.ts";
import { readJournal, type JournalFact } from "../../../../src/recorder/journal.ts";
import { over, tone, writeGarbage, writeJournal, writeTrack } from "../../../support/recording.ts";

const ann = "@ann:test";
const bob = "@bob:test";

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), "voicebot-erase-"))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const joined = (atMs: number, key: string, userId: string): JournalFact & { atMs: number } => ({
  ...{ kind: "joined", key, userId, name: userId.slice(1, 4), atMs },
});
const track = (atMs: number, speaker: string, file: string): JournalFact & { atMs: number } => ({
  ...{ kind: "track", speaker, file, what: "voice", atMs },
});
const write = (file: string, speaker: string, where = directory): Promise<void> =>
  writeTrack(where, file, { speaker }, over(tone({ hz: 440, fromMs: 0, lengthMs: 100 }), { ssrc: 1 }));
const erase = async (userId: string): Promise<string[]> =>
  eraseVoice(directory, (await readJournal(directory)).entries, userId);

test("all of one person goes, of every device, also what a repair has kept and what was made of it; the rest stays", async () => {
  await writeJournal(directory, [
    joined(0, "phone@ann:test", ann),
    joined(0, "Chrome", ann),
    joined(0, "bob", bob),
    track(1, "phone@ann:test", "voice-001.mvt"),
    track(2, "bob", "voice-002.mvt"),
    track(3, "Chrome", "voice-003.mvt"),
  ]);
  const kept = join(directory, "damaged", "2026");
  for (const folder of [kept, join(directory, "export"), join(directory, "parts")])
    await mkdir(folder, { recursive: true });
  await write("voice-001.mvt", "phone@ann:test");
  await write("voice-002.mvt", "bob");
  await write("voice-003.mvt", "Chrome");
  await write("voice-001.mvt", "phone@ann:test", kept);
  await writeFile(join(directory, "export", "Everybody.ogg"), "all of them");
  const bobs = await readFile(join(directory, "voice-002.mvt"));

  const gone = await erase(ann);
  expect(gone.sort()).toEqual(["damaged/2026/voice-001.mvt", "voice-001.mvt", "voice-003.mvt"]);
  const left = await readdir(directory, { recursive: true });
  expect(left.filter((name) => name.endsWith(".mvt")).sort()).toEqual(["journal.mvt", "voice-002.mvt"]);
  expect(left).not.toContain("export");
  expect(left).not.toContain("parts");
  // Their numbers are not given to others.
  expect(left).toEqual(expect.arrayContaining(["voice-001.erased", "voice-003.erased"]));
  expect(await readFile(join(directory, "voice-002.mvt"))).toEqual(bobs);
  expect(await erase(ann)).toEqual([]);
});

test("a key that changed hands: each file is whose it was when it was opened", async () => {
  await writeJournal(directory, [
    joined(0, "Chrome", ann),
    track(1, "Chrome", "voice-001.mvt"),
    joined(50, "Chrome", bob),
    track(51, "Chrome", "voice-002.mvt"),
  ]);
  await write("voice-001.mvt", "Chrome");
  await write("voice-002.mvt", "Chrome");
  expect(await erase(bob)).toEqual(["voice-002.mvt"]);
  expect(await erase(ann)).toEqual(["voice-001.mvt"]);
  const { entries } = await readJournal(directory);
  expect(ownKeys(entries, ann)).toEqual([]);
});

test("a file that the journal does not name goes with everybody who had its key; an unreadable one by the journal", async () => {
  await writeJournal(directory, [
    joined(0, "Chrome", ann),
    joined(50, "Chrome", bob),
    joined(60, "phone", ann),
    track(61, "phone", "voice-002.mvt"),
  ]);
  await write("voice-001.mvt", "Chrome");
  await writeGarbage(join(directory, "voice-002.mvt"));
  await write("voice-003.mvt", "VOICEBOT@bob:test");
  expect((await erase(ann)).sort()).toEqual(["voice-001.mvt", "voice-002.mvt"]);
  expect(await erase(bob)).toEqual(["voice-003.mvt"]);
});

test("names of others that look like part of theirs do not count", async () => {
  await writeJournal(directory, [joined(0, "x", "@joann:test"), track(1, "x", "voice-001.mvt")]);
  await write("voice-001.mvt", "x");
  await write("voice-002.mvt", "phone@joann:test");
  expect(await erase(ann)).toEqual([]);
});
