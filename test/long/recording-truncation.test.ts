// A small recording, each of its files cut at every byte: what is left is read, verified and repaired; in every 20th case it is
// exported as the next start would, and once more when it is repaired. Nothing throws what it should not, nothing torn is believed.
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { repairRecording } from "../../src/recorder/care/repair.ts";
import { verifyRecording } from "../../src/recorder/care/verify.ts";
import { exportRecording } from "../../src/recorder/export/export.ts";
import type { ExportOutcome } from "../../src/recorder/exporter.ts";
import { readJournal } from "../../src/recorder/journal.ts";
import { packetsIn } from "../support/recorded-packets.ts";
import { exportJob } from "../support/recording.ts";
import { filesOf, writeFiles, writeSmallRecording } from "../support/small-recording.ts";

let root: string;
let whole: Map<string, Buffer>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "voicebot-cuts-"));
  await writeSmallRecording(join(root, "whole"));
  whole = await filesOf(join(root, "whole"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const deps = { clock: systemClock, log: silentLog, onProgress: () => undefined };
const exported = (directory: string): Promise<ExportOutcome> => exportRecording(exportJob(directory), deps);
const heard = ({ tracks }: ExportOutcome): string[] =>
  tracks
    .filter(({ what }) => what === "voice" || what === "music")
    .map(({ what }) => what)
    .sort();

/** @param exports before and after the repair, too: each starts programs */
async function check(files: ReadonlyMap<string, Uint8Array>, exports = true): Promise<void> {
  const directory = join(root, "cut");
  await mkdir(directory);
  try {
    await writeFiles(directory, files);
    const before = await verifyRecording(directory);
    expect(before.verdict).not.toBe("whole");
    const sound = (): string[] =>
      before.files
        .filter(({ packets }) => packets > 0)
        .map(({ what }) => what)
        .sort();
    const begun = await readJournal(directory).then(
      () => true,
      () => false,
    );
    // Only where the journal does not begin there is nothing to export, and that is said.
    // Behind damage nothing is read before it was repaired.
    const read = (await packetsIn(directory)).filter(({ packets }) => packets.length > 0);
    if (exports && begun)
      expect(heard(await exported(directory))).toEqual(read.map(({ what }) => what).sort());
    else if (exports) await expect(exported(directory)).rejects.toMatchObject({ code: "recording_damaged" });
    const repaired = await repairRecording(directory, {
      ...{ known: null, keepDamaged: false, wallMs: systemClock.wall() },
    }).catch((error: unknown) => error);
    if (repaired instanceof Error) {
      expect(repaired).toBeInstanceOf(BotError);
      expect(before.verdict).toBe("lost");
      return;
    }
    const after = await verifyRecording(directory);
    expect(after.problems).toEqual([]);
    if (exports) expect(heard(await exported(directory))).toEqual(sound());
    for (const name of await readdir(directory)) expect(name).not.toMatch(/\.part$/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test.each(["voice-001.mvt", "music-001.mvt", "journal.mvt"])(
  "%s cut at every byte: nothing torn is believed, a repair makes it whole; every 20th is exported before and after",
  async (file) => {
    const bytes = whole.get(file) ?? Buffer.alloc(0);
    for (let size = bytes.length - 1; size >= 0; size--) {
      try {
        await check(new Map([...whole, [file, bytes.subarray(0, size)]]), size % 20 === 0);
      } catch (error) {
        throw new Error(`cut at ${size}`, { cause: error });
      }
    }
  },
  3_000_000,
);

test("any byte of any file changed: the same", async () => {
  for (const [file, bytes] of whole) {
    for (let at = 0; at < bytes.length; at += 5) {
      // Another version of the format is refused, which is told elsewhere.
      if (at === 8 || at === 9) continue;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      try {
        await check(new Map([...whole, [file, changed]]), at % 50 === 0);
      } catch (error) {
        throw new Error(`${file}, changed at ${at}`, { cause: error });
      }
    }
  }
}, 3_000_000);

test("all files cut at once, anywhere: the same", async () => {
  for (let round = 0; round < 200; round++) {
    const cut = [...whole].map(([file, bytes], index): [string, Buffer] => {
      // Spread over all of it, the same in each run.
      const share = ((round * (index + 1) * 0.618) % 1) * 1.1;
      return [file, bytes.subarray(0, Math.min(bytes.length - 1, Math.floor(share * bytes.length)))];
    });
    await check(new Map(cut), round % 10 === 0);
  }
}, 3_000_000);
