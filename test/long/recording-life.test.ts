// A recording over the deaths of whoever makes it: killed at several instants, the media child, both, stopped in order, away
// for too long, not let in again. What people get has what was said before and after, at its time, once.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppendFile } from "../../src/media/tracks/append-file.ts";
import { encodeRecord } from "../../src/media/tracks/framing.ts";
import { JOURNAL_FILE, readJournal, type ReadJournal } from "../../src/recorder/journal.ts";
import { decodeFile } from "../support/decode.ts";
import { FaultScene, sleep } from "../support/fault-scene.ts";
import { toMono, toneDb } from "../support/measure.ts";
import type { Member } from "../support/member.ts";
import { callStateType, type MatrixEvent } from "../support/people.ts";

const RATE = 48_000;
const BEFORE_HZ = 660;
const AFTER_HZ = 990;
/** Of a tone of -20 dBFS in a track, and of nothing. */
const HEARD_DB = -26;
const SILENT_DB = -55;
/** Packets a second before a kill may not be on the disk yet; the way to the bot, and a stage that is busy. */
const EDGE_S = 1.6;

let scene: FaultScene;
let anna: Member;

beforeEach(async () => {
  scene = await FaultScene.start();
  anna = await scene.member("anna");
  await anna.join();
  await anna.speak({ tone: BEFORE_HZ, levelDb: -20 });
}, 120_000);
afterEach(async () => scene.close(), 60_000);

const recordings = (): string => join(scene.bot.dataDir, "recordings");
async function onlyRecording(): Promise<string> {
  const ids = (await readdir(recordings())).filter((id) => !id.includes("."));
  expect(ids).toHaveLength(1);
  return join(recordings(), ids[0]!);
}
const journal = async (): Promise<ReadJournal> => readJournal(await onlyRecording());

/** The bot has a connection to her and writes her voice. */
async function recording(): Promise<void> {
  await scene.command("!record start Life", /Recording “Life”/);
  await heardOf();
}

/** Her voice is being written: asked of the disk, because every message of the bot is one of its rate limit. */
async function heardOf(): Promise<void> {
  let [bytes, grown] = [0, 0];
  for (let turn = 0; turn < 40 && grown < 2; turn++) {
    // Files are flushed once a second.
    await sleep(1_500);
    const now = await voiceBytes();
    grown = bytes > 0 && now > bytes ? grown + 1 : 0;
    bytes = now;
  }
  if (grown < 2) throw new Error("she is not heard");
}

async function voiceBytes(): Promise<number> {
  const directory = await onlyRecording();
  const names = (await readdir(directory)).filter((name) => name.startsWith("voice-"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const wentOn = (position: number): Promise<string> =>
  scene.botSays(/I was restarted: the recording had a gap of \d+ s; it goes on/, 60_000, position);

function deliveries(): MatrixEvent[] {
  const { host, room, botUser } = scene;
  return host.events.filter(
    ({ roomId, sender, content }) =>
      roomId === room && sender === botUser.userId && content["msgtype"] === "m.audio",
  );
}

/** Her track as the room got it: exactly one. */
async function delivered(): Promise<Float32Array> {
  const hers = deliveries().filter(({ content }) => content["body"] === "anna.ogg");
  expect(hers).toHaveLength(1);
  const directory = await mkdtemp(join(tmpdir(), "voicebot-life-"));
  try {
    const path = join(directory, "anna.ogg");
    await writeFile(path, await scene.host.downloadMedia(String(hers[0]!.content["url"])));
    return toMono(await decodeFile(path));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Level of a tone between two wall times in her track. */
function level(track: Float32Array, hz: number, startWallMs: number, fromMs: number, toMs: number): number {
  const at = (ms: number): number => Math.round(((ms - startWallMs) / 1000) * RATE);
  const span = track.subarray(at(fromMs), at(toMs));
  return span.length < RATE / 4 ? -Infinity : toneDb(span, RATE, hz);
}

/**
 * Ends it and looks at what came: up to `goneMs` (wall) the tone of before, from `backMs` on the tone of after, in between
 * nothing of it, once, and all of it as long as it took.
 */
async function endsWith(goneMs: number, changedMs: number): Promise<void> {
  const backMs = Date.now() - 4_000;
  const { position } = scene.host;
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: \d files/, 90_000, position);
  const { start, entries } = await journal();
  const startMs = start.wallMs;
  const endedMs = entries.find(({ kind }) => kind === "stop")?.wallMs ?? 0;
  const track = await delivered();
  expect(Math.abs(track.length / RATE - (endedMs - startMs) / 1000)).toBeLessThan(1);
  const edge = EDGE_S * 1_000;
  expect(level(track, BEFORE_HZ, startMs, goneMs - 2 * edge, goneMs - edge)).toBeGreaterThan(HEARD_DB);
  expect(level(track, AFTER_HZ, startMs, backMs, backMs + 3_000)).toBeGreaterThan(HEARD_DB);
  // What she changed to while nobody listened is only there from when somebody did again.
  expect(level(track, BEFORE_HZ, startMs, changedMs + edge, endedMs - edge)).toBeLessThan(SILENT_DB);
  expect(level(track, AFTER_HZ, startMs, startMs, goneMs)).toBeLessThan(SILENT_DB);
  const gaps = entries.filter(({ kind }) => kind === "gap");
  const back = entries.filter(({ kind }) => kind === "resumed");
  expect(back).toHaveLength(gaps.length);
  for (const [index, gap] of gaps.entries()) {
    const silent = level(track, AFTER_HZ, startMs, gap.wallMs + 300, back[index]!.wallMs - 300);
    expect(silent).toBeLessThan(SILENT_DB);
  }
  expect(entries.filter(({ kind }) => kind === "stop")).toHaveLength(1);
  const names = deliveries().map(({ content }) => content["body"]);
  expect(new Set(names).size).toBe(names.length);
  await onlyRecording();
}

test.each([0, 1_000, 2_600, 8_000])(
  "kill -9 of the bot %i ms after she is heard: the same recording goes on",
  async (afterMs) => {
    await recording();
    await sleep(5_000 + afterMs);
    const goneMs = Date.now();
    await scene.bot.kill();
    const { position } = scene.host;
    await anna.speak({ tone: AFTER_HZ, levelDb: -20 });
    const changedMs = Date.now();
    await scene.bot.startAgain();
    await wentOn(position);
    await heardOf();
    await sleep(5_000);
    await endsWith(goneMs, changedMs);
  },
  300_000,
);

test("kill -9 again and again while it comes back: told of each gap at most once, and nothing twice", async () => {
  await recording();
  await sleep(5_000);
  const goneMs = Date.now();
  await scene.bot.kill();
  const { position } = scene.host;
  await anna.speak({ tone: AFTER_HZ, levelDb: -20 });
  const changedMs = Date.now();
  for (const pauseMs of [0, 700, 2_500]) {
    await scene.bot.startAgain();
    await sleep(pauseMs);
    await scene.bot.kill();
  }
  await scene.bot.startAgain();
  await wentOn(position);
  await heardOf();
  await sleep(5_000);
  const announced = scene.host.events.filter(({ content }) =>
    /Recording “Life”\./.test(String(content["body"])),
  );
  expect(announced).toHaveLength(1);
  await endsWith(goneMs, changedMs);
}, 300_000);

test("kill -9 of the media child, and of both at once", async () => {
  await recording();
  await sleep(3_000);
  const first = scene.host.position;
  process.kill(scene.bot.mediaChildren()[0]!, "SIGKILL");
  await scene.botSays(/The recording had a gap of \d+ s; it goes on/, 60_000, first);
  await heardOf();
  await sleep(4_000);
  const goneMs = Date.now();
  const [child] = scene.bot.mediaChildren();
  process.kill(child!, "SIGKILL");
  await scene.bot.kill();
  const { position } = scene.host;
  await anna.speak({ tone: AFTER_HZ, levelDb: -20 });
  const changedMs = Date.now();
  await scene.bot.startAgain();
  await wentOn(position);
  await heardOf();
  await sleep(5_000);
  await endsWith(goneMs, changedMs);
}, 300_000);

test("SIGTERM and a start 40 s later: it goes on, paused recordings stay paused", async () => {
  await recording();
  await sleep(5_000);
  const goneMs = Date.now();
  expect(await scene.bot.stop()).toEqual({ code: 0, signal: null });
  const { position } = scene.host;
  await anna.speak({ tone: AFTER_HZ, levelDb: -20 });
  const changedMs = Date.now();
  await sleep(40_000);
  await scene.bot.startAgain();
  await wentOn(position);
  await heardOf();
  await sleep(5_000);
  await endsWith(goneMs, changedMs);

  await scene.command("!record start", /Recording\./);
  await scene.command("!record pause", /Recording paused/);
  const again = scene.host.position;
  await scene.bot.kill();
  await scene.bot.startAgain();
  await scene.botSays(/The recording is still paused/, 60_000, again);
  expect(await scene.command("!record status", /Paused for/)).toMatch(/0 tracks|[12] tracks/);
  await scene.command("!record resume", /The recording goes on/);
  await scene.command("!record discard", /again within 30 s/);
  await scene.command("!record discard", /deleted by/);
  await onlyRecording();
}, 400_000);

test("killed while it is exported and sent: everything is there, once", async () => {
  await recording();
  await sleep(6_000);
  await scene.host.sendText(scene.room, "!record stop");
  await scene.bot.event("command", { name: "record", ok: true }, 20_000, scene.bot.proc.lines.length);
  for (const pauseMs of [0, 300, 900]) {
    await sleep(pauseMs);
    await scene.bot.kill();
    await scene.bot.startAgain();
  }
  await scene.botSays(/\d files/, 90_000, 0);
  const track = await delivered();
  expect(toneDb(track.subarray(-3 * RATE, -RATE), RATE, BEFORE_HZ)).toBeGreaterThan(HEARD_DB);
  const names = deliveries().map(({ content }) => content["body"]);
  expect(new Set(names).size).toBe(names.length);
  expect((await journal()).entries.filter(({ kind }) => kind === "stop")).toHaveLength(1);
}, 300_000);

test("away for more than a quarter of an hour: it ends as it is, and is delivered, once", async () => {
  await recording();
  await sleep(6_000);
  await scene.bot.kill();
  await agedBy(16 * 60_000);
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.botSays(/I was interrupted while recording.*\d files/, 90_000, position);
  const track = await delivered();
  expect(track.length / RATE).toBeGreaterThan(5);
  expect(toneDb(track.subarray(-2 * RATE, -RATE), RATE, BEFORE_HZ)).toBeGreaterThan(HEARD_DB);
  expect(await scene.command("!record status", /No recording/)).toBeTruthy();
  // The name does not say any more that it records.
  await until(async () => !(await name()).includes("🔴"));
}, 300_000);

test("not let into the channel again: it ends and is delivered, and the name is put back", async () => {
  await recording();
  await sleep(6_000);
  expect(await name()).toBe("🔴 bot (recording)");
  await scene.bot.kill();
  const levels = await scene.host.readState(scene.room, "m.room.power_levels");
  const events = { ...(levels?.["events"] as object), [callStateType]: 90 };
  await scene.host.sendState(scene.room, "m.room.power_levels", "", { ...levels, events });
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.botSays(/I was interrupted while recording.*\d files/, 90_000, position);
  await delivered();
  await until(async () => (await name()) === "bot");
}, 300_000);

async function name(): Promise<string> {
  const member = await scene.host.readState(scene.room, "m.room.member", scene.botUser.userId);
  return String(member?.["displayname"]);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (await condition()) return;
    await sleep(1_000);
  }
  throw new Error("never came true");
}

/** Writes the journal anew as if everything in it had been so much earlier; the clocks of the tracks stay as they are. */
async function agedBy(ms: number): Promise<void> {
  const directory = await onlyRecording();
  const path = join(directory, JOURNAL_FILE);
  const { entries } = await readJournal(directory);
  expect((await readFile(path)).length).toBeGreaterThan(100);
  await rm(path);
  const file = await AppendFile.create(path, "journal");
  for (const entry of entries) {
    const aged = { ...entry, wallMs: entry.wallMs - ms };
    file.append(encodeRecord(1, new TextEncoder().encode(JSON.stringify(aged))));
  }
  await file.close();
}
