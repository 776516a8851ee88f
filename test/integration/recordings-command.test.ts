// `matrix-voice-bot recordings` as it is typed: on folders as bots leave them, without a homeserver or an account.
import { cp, mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJournal } from "../../src/recorder/journal.ts";
import { DataLock } from "../../src/store/data-lock.ts";
import { probeFile } from "../support/decode.ts";
import { readOurs, readOutside } from "../support/other-reader.ts";
import { startProc } from "../support/proc.ts";
import { writeSmallRecording } from "../support/small-recording.ts";

const root = new URL("../../", import.meta.url).pathname;
const FIXTURE = join(root, "test/fixtures/recording-v1");
const WHOLE = "20260101-000000-aaaaaaaaaa";
const DAMAGED = "20260102-030405-0123456789";
const LOST = "20260103-000000-bbbbbbbbbb";

let dir: string;
let dataDir: string;

async function recordings(...args: string[]): Promise<{ code: number | null; output: string }> {
  const proc = await startProc({
    command: process.execPath,
    args: [join(root, "src/cli.ts"), "recordings", ...args, "--data-dir", dataDir],
    env: { NODE_OPTIONS: undefined },
  });
  return { code: (await proc.exited).code, output: proc.output };
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "voicebot-recordings-"));
  dataDir = join(dir, "data");
  await writeSmallRecording(join(dataDir, "recordings", WHOLE));
  await cp(FIXTURE, join(dataDir, "recordings", DAMAGED), { recursive: true });
  await cp(FIXTURE, join(dataDir, "recordings", LOST), { recursive: true });
  for (const name of await readdir(FIXTURE)) await truncate(join(dataDir, "recordings", LOST, name), 9);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("lists and verifies what there is, also beside a running bot, by text and as JSON", async () => {
  const lock = DataLock.take(dataDir);
  try {
    const [list, all, one] = await Promise.all([
      recordings("list"),
      recordings("verify"),
      recordings("verify", "20260101", "--json"),
    ]);
    expect(list.code).toBe(0);
    expect(list.output.trim().split("\n")).toEqual([
      expect.stringMatching(new RegExp(`^${WHOLE}  2026-01-02 03:04 UTC  0:00 .* stopped  !room:test$`)),
      expect.stringMatching(new RegExp(`^${DAMAGED}  2026-01-02 03:04 UTC  0:02 .* “Episode 1”$`)),
      expect.stringMatching(new RegExp(`^${LOST} .* damaged .* it is shorter than its header`)),
    ]);
    expect(all.code).toBe(65);
    expect(all.output).toContain(`${WHOLE}: whole, stopped`);
    expect(all.output).toContain("voice-001.mvt: the last 11 bytes are no record");
    expect(all.output).toContain(`${LOST}: lost`);
    expect(one.code).toBe(0);
    expect(JSON.parse(one.output)).toMatchObject({ ok: true, recordings: [{ id: WHOLE, verdict: "whole" }] });
  } finally {
    lock?.release();
  }
});

test("repairs, when no bot runs: then it is whole, and without a journal too", async () => {
  const lock = DataLock.take(dataDir);
  const busy = await recordings("repair", DAMAGED);
  lock?.release();
  expect(busy).toMatchObject({ code: 75, output: expect.stringContaining("stop it first") });

  const folder = join(dataDir, "recordings", DAMAGED);
  await rm(join(folder, "journal.mvt"));
  expect(await recordings("repair", "20260102")).toMatchObject({
    code: 0,
    output: expect.stringContaining(`${DAMAGED}: whole`),
  });
  expect((await readJournal(folder)).start.recording).toBe(DAMAGED);
});

test("exports into a folder of its own, and leaves the recording as it is; deletes only when told so", async () => {
  const output = join(dir, "out", "episode");
  const folder = join(dataDir, "recordings", DAMAGED);
  const before = await readdir(folder);
  const exported = await recordings("export", DAMAGED, "--format", "flac", "--zip", "--output", output);
  expect(exported).toMatchObject({ code: 0 });
  const files = await readdir(output);
  expect(files).toEqual(expect.arrayContaining(["Bob.flac", "Music.flac", "info.json"]));
  expect(files.some((name) => name.endsWith(".zip"))).toBe(true);
  expect((await probeFile(join(output, "Bob.flac"))).durationMs).toBeGreaterThan(1_000);
  expect(await readdir(join(dir, "out"))).toEqual(["episode"]);
  expect(await readdir(folder)).toEqual(before);
  expect(await recordings("delete", DAMAGED)).toMatchObject({
    code: 64,
    output: expect.stringContaining("say --yes"),
  });
  expect(await recordings("delete", DAMAGED, "--yes")).toMatchObject({ code: 0 });
  expect(await readdir(join(dataDir, "recordings"))).toEqual([WHOLE, LOST]);
});

test("what is typed wrong is told", async () => {
  const [flag, none] = await Promise.all([recordings("list", "--jsno"), recordings("repair", "../../etc")]);
  expect(flag).toMatchObject({ code: 78, output: expect.stringContaining("--jsno: is not a setting") });
  expect(none).toMatchObject({ code: 65, output: expect.stringContaining('no recording "../../etc"') });
});

test("a reader made from docs/RECORDING-FORMAT.md alone, in another language, reads the same", async () => {
  const theirs = await readOutside(FIXTURE);
  expect(theirs).toEqual(await readOurs(FIXTURE));
  const types = theirs["voice-001.mvt"]?.records.map((record) => (record as { type: string }).type);
  expect(new Set(types)).toEqual(new Set(["header", "epoch", "packet", "senderClock", "path", "gap"]));
  expect(theirs["voice-001.mvt"]?.tornBytes).toBe(11);
  expect(theirs["journal.mvt"]?.records.length).toBe(21);
});
