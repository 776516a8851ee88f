// What is lost of a recording when the media child ends without a goodbye, or the disk does: a real child with a real
// connection writes, and is killed at instants that fall anywhere between two flushes.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { repairRecording } from "../../src/recorder/care/repair.ts";
import { verifyRecording } from "../../src/recorder/care/verify.ts";
import { connect, pause, until, Watched, writeTone } from "../contract/plane-rig.ts";
import { lossReport, packetsIn } from "../support/recorded-packets.ts";
import { writeJournal } from "../support/recording.ts";

const CHANNEL = "room";
const ROUNDS = 12;
/** Files are flushed once a second; the rest is for a machine that does other things as well. */
const LOST_AT_MOST_MS = 1_500;

let root: string;
let speaker: Watched;
let recorder: Watched;
let child: SupervisedPlane;

const plane = (): SupervisedPlane =>
  new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null, backOffMs: [100] });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "voicebot-survival-"));
  speaker = new Watched(plane());
  child = plane();
  recorder = new Watched(child);
  await connect(speaker, recorder, CHANNEL);
  await speaker.play(CHANNEL, await writeTone(join(root, "tone.wav"), 440, 300));
  await speaker.event("track.started");
}, 60_000);
afterEach(async () => {
  await Promise.all([speaker.plane.close(), recorder.plane.close()]);
  await rm(root, { recursive: true, force: true });
}, 30_000);

async function record(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await recorder.plane.request({
    ...{ kind: "record.start", channel: CHANNEL, recording: "r1", directory, speakers: ["a"] },
  });
  await recorder.event("record.track");
}

/** The new child knows nobody: as after any loss of a connection, both sides begin anew. */
async function connectAgain(): Promise<void> {
  await recorder.state("up");
  recorder.events.length = 0;
  await speaker.plane.request({ kind: "peer.close", channel: CHANNEL, peer: "b" });
  await connect(speaker, recorder, CHANNEL);
}

test.each(["SIGKILL", "SIGSEGV", "SIGABRT"] as const)(
  "the media child ends by %s at any instant: what it wrote up to a second ago is there, and readable",
  async (signal) => {
    const rounds = signal === "SIGKILL" ? ROUNDS : 3;
    const lost: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const directory = join(root, `${signal}-${round}`);
      await record(directory);
      await pause(1_200 + ((round * 0.618) % 1) * 2_000);
      const atMs = systemClock.now();
      process.kill(child.childPid ?? 0, signal);
      await until("its end", () => (recorder.plane.state === "down" ? true : undefined));
      const [file] = await packetsIn(directory);
      expect(file?.packets.length).toBeGreaterThan(0);
      // Nothing is missing in what is there.
      expect(file?.missing).toBe(0);
      lost.push(atMs - (file?.packets.at(-1)?.arrivalMs ?? 0));
      await checkWhole(directory);
      await connectAgain();
    }
    console.log(lossReport(`media child, ${signal}`, lost));
    expect(Math.max(...lost)).toBeLessThan(LOST_AT_MOST_MS);
  },
  300_000,
);

test("killed three times in one recording: it goes on in new files, and nothing between the kills is missing", async () => {
  const directory = join(root, "again");
  for (let round = 0; round < 3; round++) {
    await record(directory);
    await pause(2_300 + round * 300);
    process.kill(child.childPid ?? 0, "SIGKILL");
    await until("its end", () => (recorder.plane.state === "down" ? true : undefined));
    await connectAgain();
  }
  await record(directory);
  await pause(1_500);
  await recorder.plane.request({ kind: "record.stop", channel: CHANNEL });
  const files = await packetsIn(directory);
  expect(files.map(({ file, missing }) => [file, missing])).toEqual(
    ["001", "002", "003", "004"].map((number) => [`voice-${number}.mvt`, 0]),
  );
  await checkWhole(directory);
}, 120_000);

test("a disk that fills up in the middle: told once, and what was flushed is there", async () => {
  const disk = await mkdtemp(join(tmpdir(), "voicebot-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "none", disk]);
  try {
    const directory = join(disk, "r");
    await record(directory);
    await pause(2_000);
    execFileSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=4k"], {
      stdio: "ignore",
      timeout: 10_000,
    });
  } catch (error) {
    // dd ends with "no space left", which is what it is for.
    expect((error as { status?: unknown }).status).toBe(1);
  }
  try {
    const directory = join(disk, "r");
    const { detail } = await recorder.event("record.failed");
    const failedMs = systemClock.now();
    expect(detail).toContain("ENOSPC");
    const [file] = await packetsIn(directory);
    const lost = failedMs - (file?.packets.at(-1)?.arrivalMs ?? 0);
    console.log(lossReport("full disk", [lost]));
    expect(file?.missing).toBe(0);
    // Up to a second that waits, and a page of the file that still takes some.
    expect(lost).toBeLessThan(2 * LOST_AT_MOST_MS);
    expect(recorder.all("record.failed")).toHaveLength(1);
    rmSync(join(disk, "filler"));
    await checkWhole(directory);
  } finally {
    execFileSync("umount", [disk]);
    await rm(disk, { recursive: true });
  }
}, 120_000);

/** With a journal beside it, it is verified, repaired, and whole. */
async function checkWhole(directory: string): Promise<void> {
  await writeJournal(directory, []);
  const before = await verifyRecording(directory);
  const codes = new Set(before.problems.map(({ code }) => code));
  for (const code of codes) expect(["torn", "not_closed", "no_end"]).toContain(code);
  await repairRecording(directory, { known: null, keepDamaged: false, wallMs: systemClock.wall() });
  const after = await verifyRecording(directory);
  expect(after.problems).toEqual([]);
  expect(after.files.map(({ packets }) => packets)).toEqual(before.files.map(({ packets }) => packets));
  expect((await readdir(directory)).filter((name) => name.endsWith(".part"))).toEqual([]);
}
