// What a whole bot loses of a recording over kills and a full disk: measured on its disk, packet by packet, and every file
// read to its end, by both readers. That it goes on, and what people hear: recording-life.test.ts.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/base/system-clock.ts";
import { verifyRecording } from "../../src/recorder/care/verify.ts";
import { readJournal } from "../../src/recorder/journal.ts";
import { FaultScene, sleep } from "../support/fault-scene.ts";
import type { Member } from "../support/member.ts";
import { readOurs, readOutside } from "../support/other-reader.ts";
import { lossReport, packetsIn } from "../support/recorded-packets.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
/** Flushed once a second; the rest is for the kill itself, and a machine that does other things as well. */
const LOST_AT_MOST_MS = 1_600;

let scene: FaultScene;
let anna: Member;

beforeEach(async () => {
  scene = await FaultScene.start();
  anna = await scene.member("anna");
  await anna.join();
  await scene.command("!play tone440", /Now playing/);
  await anna.connected(scene.botKey, 60_000);
  await anna.speak({ tone: 660, levelDb: -20 });
}, 120_000);
afterEach(async () => scene.close(), 60_000);

const recordings = (): string => join(scene.bot.dataDir, "recordings");
async function folder(): Promise<string> {
  const ids = (await readdir(recordings())).filter((name) => /^[\w-]+$/.test(name));
  expect(ids).toHaveLength(1);
  return join(recordings(), ids[0] ?? "");
}

/** Waits until that many files of her voice have packets. */
async function voices(count: number): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    const files = await packetsIn(await folder());
    if (files.filter(({ what, packets }) => what === "voice" && packets.length > 0).length >= count) return;
    await sleep(200);
  }
  throw new Error("she is not recorded");
}

/** By how much the newest voice and the newest music end before an instant, in ms. */
async function lostAt(atMs: number): Promise<number[]> {
  const files = await packetsIn(await folder());
  return (["voice", "music"] as const).flatMap((kind) => {
    const last = files.findLast(({ what, packets }) => what === kind && packets.length > 0);
    expect(last?.missing).toBeLessThanOrEqual(2);
    return last ? [atMs - (last.packets.at(-1)?.arrivalMs ?? 0)] : [];
  });
}

const audio = (): unknown[] =>
  scene.host.events
    .filter(({ sender, content }) => sender === scene.botUser.userId && content["msgtype"] === "m.audio")
    .map(({ content }) => content["body"]);

const commandLine = (...args: string[]): { status: number | null; stdout: string } =>
  spawnSync(process.execPath, [CLI, "recordings", ...args, "--data-dir", scene.bot.dataDir], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });

test("the media child, the bot, both are killed, the engine crashes: a second at most each time, all of it readable", async () => {
  await scene.command("!record start", /Recording/);
  const lost = new Map<string, number[]>();
  const kills: [string, () => Promise<unknown>][] = [
    ["kill -9 of the media child", async () => process.kill(scene.bot.mediaChildren()[0] ?? 0, "SIGKILL")],
    ["an engine crash", async () => process.kill(scene.bot.mediaChildren()[0] ?? 0, "SIGSEGV")],
    ["kill -9 of the bot", () => scene.bot.kill()],
    [
      "kill -9 of both",
      () => {
        for (const pid of scene.bot.mediaChildren()) process.kill(pid, "SIGKILL");
        return scene.bot.kill();
      },
    ],
  ];
  for (const [index, [what, kill]] of kills.entries()) {
    await voices(index + 1);
    await sleep(4_000 + index * 370);
    const atMs = systemClock.now();
    await kill();
    await sleep(500);
    lost.set(what, await lostAt(atMs));
    if (what.endsWith("bot") || what.endsWith("both")) await scene.bot.startAgain();
  }
  await voices(kills.length + 1);
  await sleep(3_000);
  const running = commandLine("verify", "--json");
  expect(running.status).not.toBe(65);
  const { position } = scene.host;
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: \d files/, 120_000, position);
  for (const [what, ms] of lost) console.log(lossReport(what, ms));
  for (const [what, ms] of lost) expect([what, Math.max(...ms) < LOST_AT_MOST_MS]).toEqual([what, true]);

  const directory = await folder();
  const report = await verifyRecording(directory, { running: true });
  expect(report.state).toBe("delivered");
  expect(report.exports.every(({ whole }) => whole)).toBe(true);
  // Nothing but ends that are missing, of the files that were open in a kill.
  for (const { code } of report.problems) expect(["torn", "not_closed"]).toContain(code);
  const { entries } = await readJournal(directory);
  expect(entries.filter(({ kind }) => kind === "gap")).toHaveLength(kills.length);
  expect(entries.filter(({ kind }) => kind === "delivered")).toHaveLength(1);
  const bodies = audio();
  expect(new Set(bodies).size).toBe(bodies.length);
  // The document is good enough for a real recording, too.
  expect(await readOutside(directory)).toEqual(await readOurs(directory));

  await scene.bot.stop();
  const [id = ""] = await readdir(recordings());
  expect(commandLine("repair", id)).toMatchObject({ status: 0 });
  const verified = commandLine("verify");
  expect([verified.status, verified.stdout]).toEqual([0, expect.stringContaining(": whole")]);
  // The bot takes it as it is, and sends nothing again.
  await scene.bot.startAgain();
  await sleep(5_000);
  expect(audio()).toEqual(bodies);
}, 600_000);

test("a disk that is full at once: told, ended, readable; with room again it is delivered, once", async () => {
  await mkdir(recordings(), { recursive: true });
  // An export wants some hundred megabytes to be left.
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=900m,mode=700", "none", recordings()]);
  try {
    await scene.command("!record start", /Recording/);
    await voices(1);
    await sleep(4_000);
    const { position } = scene.host;
    const [atMs, filler] = [systemClock.now(), join(recordings(), "filler.bin")];
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1M"], { stdio: "ignore", timeout: 20_000 });
    await writeFile(`${filler}.more`, Buffer.alloc(65_536)).catch(() => undefined);
    await scene.botSays(/(disk|ENOSPC|space)/i, 60_000, position);
    const lost = await lostAt(atMs);
    console.log(lossReport("a full disk", lost));
    // Before it was full nothing is lost but what waited.
    expect(Math.max(...lost)).toBeLessThan(LOST_AT_MOST_MS);
    const directory = await folder();
    const report = await verifyRecording(directory);
    for (const { code } of report.problems) expect(["torn", "not_closed", "no_end"]).toContain(code);
    await sleep(3_000);
    await rm(filler);
    await rm(`${filler}.more`, { force: true });
    await scene.bot.stop();
    const before = audio();
    const { position: again } = scene.host;
    await scene.bot.startAgain();
    // It goes on, or was ended: in both cases it is delivered in the end.
    await sleep(3_000);
    await scene.host.sendText(scene.room, "!record stop");
    await scene.botSays(/\d files, /, 120_000, before.length > 0 ? position : again);
    const bodies = audio();
    expect(bodies.length).toBeGreaterThan(0);
    expect(new Set(bodies).size).toBe(bodies.length);
  } finally {
    await scene.bot.stop();
    execFileSync("umount", [recordings()]);
  }
}, 400_000);
