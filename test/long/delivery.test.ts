// Recordings on their way into a room when things are against it: limits of size and rate, a homeserver that dies in the
// middle, a bot that does; and what removing them from the room does, whenever it is noticed.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jest } from "@jest/globals";
import { Bot } from "../support/bot.ts";
import { decodeFile } from "../support/decode.ts";
import { Gateway, LIMITED } from "../support/gateway.ts";
import { Person, type MatrixEvent } from "../support/people.ts";
import { over, tone, writeJournal, writeTrack, type Arrived } from "../support/recording.ts";
import { rejection } from "../support/rejection.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";

jest.setTimeout(300_000);

const BLOCK_MS = 10_000;
const ANN = { key: "phone@ann:voice.test", userId: "@ann:voice.test", name: "Ann" };
const BOB = { key: "phone@bob:voice.test", userId: "@bob:voice.test", name: "Bob" };

let directory: string;
let synapse: Synapse;
let host: Person;
let bots = 0;
const scenes: Scene[] = [];
const gateways: Gateway[] = [];

interface Scene {
  bot: Bot;
  botId: string;
  roomId: string;
  gateway: Gateway;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-delivery-"));
  await mkdir(join(directory, "synapse"));
  await startHomeserver();
  host = await Person.start(await synapse.createUser("host", { exempt: true, displayName: "Host" }));
});
afterEach(async () => {
  for (const { bot } of scenes.splice(0)) await bot.discard();
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(async () => {
  await host?.stop();
  await synapse?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** With Synapse's own rate limits, and files of at most 1 MiB; on the same data and port each time. */
async function startHomeserver(): Promise<void> {
  const port = synapse === undefined ? {} : { port: Number(new URL(synapse.baseUrl).port) };
  synapse = await startSynapse({ dir: join(directory, "synapse"), maxUploadSize: "1M", ...port });
}

async function scene(env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const user = await synapse.createUser(`bot${++bots}`, { displayName: "Bot" });
  const gateway = await Gateway.start(synapse.baseUrl);
  gateways.push(gateway);
  const bot = await Bot.start({ user, env, homeserverUrl: gateway.baseUrl });
  const roomId = await host.createVoiceRoom({ invite: [user.userId] });
  await bot.event("room_joined", { room: roomId });
  const made = { bot, botId: user.userId, roomId, gateway };
  scenes.push(made);
  return made;
}

/** A recording as a run that was killed has left it: two voices that are never the same for more than ten seconds. */
async function leaveRecording({ bot, roomId }: Scene, id: string, blocks: number): Promise<string> {
  const folder = join(bot.dataDir, "recordings", id);
  const joined = [ANN, BOB].map((who) => ({ kind: "joined" as const, ...who, atMs: 0 }));
  const tracks = [ANN, BOB].map(({ key }, index) => ({
    ...{
      kind: "track" as const,
      speaker: key,
      file: `voice-00${index + 1}.mvt`,
      what: "voice" as const,
      atMs: 1,
    },
  }));
  const stop = { kind: "stop" as const, reason: "command" as const, byUserId: null, atMs: blocks * BLOCK_MS };
  await writeJournal(folder, [...joined, ...tracks, stop], { recording: id, roomId });
  for (const [index, { speaker, file }] of tracks.entries()) {
    await writeTrack(folder, file, { speaker }, voice(blocks, 300 + 450 * index, index + 1));
  }
  return folder;
}

function voice(blocks: number, hz: number, ssrc: number): Arrived[] {
  const sent = Array.from({ length: blocks }, (_, block) =>
    tone({
      ...{ hz: hz + 30 * block, fromMs: block * BLOCK_MS, lengthMs: BLOCK_MS },
      ...{ firstTimestamp: block * BLOCK_MS * 48, firstSequence: (block * BLOCK_MS) / 20 },
    }),
  );
  return over(sent.flat(), { ssrc });
}

/** Files of the bot in the room, in order. */
const files = ({ roomId, botId }: Scene): MatrixEvent[] =>
  host.events.filter(
    (event) => event.roomId === roomId && event.sender === botId && event.content["msgtype"] === "m.audio",
  );
const nameOf = ({ content }: MatrixEvent): string => String(content["body"]);
const names = (from: Scene): string[] => files(from).map(nameOf);
const said = ({ roomId, botId }: Scene, text: RegExp, timeoutMs = 120_000, after = 0): Promise<MatrixEvent> =>
  host.waitForEvent(
    ({ roomId: where, sender, content }) =>
      where === roomId &&
      sender === botId &&
      content["msgtype"] === "m.notice" &&
      text.test(String(content["body"])),
    timeoutMs,
    after,
  );
const SUMMARY = /this is what was recorded until then/;

async function decoded({ content }: MatrixEvent): Promise<Float32Array> {
  const path = join(directory, "file.ogg");
  await writeFile(path, await host.downloadMedia(String(content["url"])));
  return (await decodeFile(path)).samples;
}

test("above 1 MB tracks come in numbered parts that can be played and together are the whole; all within the rate limits", async () => {
  const here = await scene();
  await here.bot.stop();
  const folder = await leaveRecording(here, "r1", 16);
  await here.bot.startAgain();
  await said(here, SUMMARY, 240_000);
  const all = names(here);
  expect(new Set(all).size).toBe(all.length);
  const ann = files(here).filter((event) => /^Ann \(\d of \d\)\.ogg$/.test(nameOf(event)));
  expect(ann.length).toBeGreaterThan(1);
  expect(ann.map(nameOf)).toEqual(ann.map((_, index) => `Ann (${index + 1} of ${ann.length}).ogg`));
  const { samples: whole } = await decodeFile(join(folder, "export", "Ann.ogg"));
  let at = 0;
  let worst = 0;
  for (const part of ann) {
    const info = part.content["info"] as { size: number; duration: number; mimetype: string };
    expect(info.size).toBeLessThanOrEqual(1_048_576);
    expect(info.mimetype).toBe("audio/ogg");
    const sound = await decoded(part);
    expect(Math.abs(info.duration - sound.length / 48)).toBeLessThan(2);
    expect(part.content["org.matrix.msc1767.audio"]).toMatchObject({ duration: info.duration });
    for (const sample of sound) worst = Math.max(worst, Math.abs(sample - (whole[at++] ?? 0)));
  }
  expect(at).toBe(whole.length);
  expect(worst).toBeLessThan(0.002);
  // Nothing of the parts is left over.
  expect(await readdir(folder)).not.toContain("parts");
});

test("a homeserver that dies in the middle of an upload, and answers that get lost: each file comes once", async () => {
  const here = await scene();
  await here.bot.stop();
  await leaveRecording(here, "r1", 2);
  let uploads = 0;
  const died = Promise.withResolvers<void>();
  let lost = 0;
  here.gateway.trouble = ({ method, path }) => {
    if (method === "POST" && path.endsWith("/upload")) {
      uploads++;
      if (uploads === 1) return LIMITED(1_500);
      if (uploads === 2) {
        process.kill(synapse.pid, "SIGKILL");
        died.resolve();
      }
      return "pass";
    }
    // The homeserver has it, and we never hear so.
    return path.includes("/send/m.room.message/") && lost++ < 2 ? "truncate" : "pass";
  };
  await here.bot.startAgain();
  await died.promise;
  await sleep(5_000);
  await synapse.stop();
  await startHomeserver();
  await said(here, SUMMARY, 240_000);
  const all = names(here);
  expect(all.toSorted()).toEqual(expect.arrayContaining(["Ann.ogg", "Bob.ogg"]));
  expect(new Set(all).size).toBe(all.length);
});

test("a bot that is killed again and again uploads nothing twice that it knows of, and sends each file once", async () => {
  const here = await scene();
  await here.bot.stop();
  await leaveRecording(here, "r1", 2);
  const posted = new Map<string, number>();
  let kill = true;
  here.gateway.trouble = ({ method, path }) => {
    if (method === "POST" && path.endsWith("/upload")) posted.set("upload", (posted.get("upload") ?? 0) + 1);
    // Each file is uploaded and known to be; then, as it is about to be posted, the bot dies, once for each transaction.
    if (kill && path.includes("/send/m.room.message/")) {
      const times = (posted.get(path) ?? 0) + 1;
      posted.set(path, times);
      if (times === 1) here.bot.proc.signal("SIGKILL");
    }
    return "pass";
  };
  for (let runs = 0; ; runs++) {
    expect(runs).toBeLessThan(12);
    await here.bot.startAgain().catch(() => undefined);
    const ended = await Promise.race([
      here.bot.proc.exited.then(() => true),
      here.bot.event("recording_delivered", {}, 30_000).then(
        () => false,
        () => true,
      ),
    ]);
    if (!ended) break;
  }
  kill = false;
  const all = names(here);
  expect(new Set(all).size).toBe(all.length);
  expect(posted.get("upload")).toBe(all.length);
});

test("removing from the room deletes here: live, while the bot is away, and lost in a gap of the sync", async () => {
  const admin = await synapse.createUser("admin", { admin: true });
  const here = await scene({ VOICEBOT_MEDIA_ADMIN_TOKEN: admin.accessToken });
  await here.bot.stop();
  const folder = await leaveRecording(here, "r1", 2);
  const kept = await leaveRecording(here, "r2", 1);
  await here.bot.startAgain();
  await here.bot.event("recording_delivered", { recording: "r1" }, 120_000);
  await here.bot.event("recording_delivered", { recording: "r2" }, 120_000);
  await said(here, SUMMARY);
  const eventOf = (name: string): MatrixEvent => files(here).find((event) => nameOf(event) === name)!;
  const left_ = async (): Promise<string[]> => [
    ...(await readdir(join(folder, "export"))),
    ...(await readdir(folder)),
  ];

  // Live, by somebody whom the homeserver lets redact.
  const url = String(eventOf("Ann.ogg").content["url"]);
  await host.redact(here.roomId, eventOf("Ann.ogg").eventId);
  await said(here, /deleted here too, with what they were made of and the homeserver's copy: Ann\.ogg/);
  expect(await left_()).not.toEqual(expect.arrayContaining(["Ann.ogg"]));
  expect(await left_()).not.toContain("voice-001.mvt");
  expect(await left_()).toEqual(expect.arrayContaining(["Bob.ogg", "voice-002.mvt"]));
  expect(await rejection(host.downloadMedia(url))).toMatchObject({ status: 404 });

  // In a gap that is longer than what is read back: nobody tells the bot.
  let hold = true;
  here.gateway.trouble = ({ path }) => (hold && path.endsWith("/sync") ? { status: 502, body: "" } : "pass");
  await sleep(1_000);
  const position = host.position;
  await host.redact(here.roomId, eventOf("Bob.ogg").eventId);
  for (let index = 0; index < 450; index++) await host.sendText(here.roomId, `talk ${index}`);
  hold = false;
  await said(here, /deleted here too.*: Bob\.ogg/, 120_000, position);
  expect(await left_()).not.toEqual(expect.arrayContaining(["Bob.ogg"]));
  expect(await left_()).not.toContain("voice-002.mvt");

  // While the bot is away: the summary goes, and with it all.
  const summaries = host.events.filter(
    ({ roomId, content }) => roomId === here.roomId && SUMMARY.test(String(content["body"])),
  );
  await here.bot.kill();
  await host.redact(here.roomId, summaries[0]!.eventId);
  await here.bot.startAgain();
  await said(here, /I have deleted everything of it here/, 120_000);
  expect(await readdir(join(here.bot.dataDir, "recordings"))).toEqual(["r2"]);
  expect(await readdir(kept)).toContain("voice-001.mvt");
});
