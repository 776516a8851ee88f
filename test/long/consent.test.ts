// Who does not want to be recorded is not, shown by looking for their voice: packet by packet in every byte that the bot
// has, and by its sound in every track and export. The whole bot, Synapse, three people in the channel.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJournal, type JournalEntry } from "../../src/recorder/journal.ts";
import { Bot } from "../support/bot.ts";
import { correlate } from "../support/correlate.ts";
import { decodeFile } from "../support/decode.ts";
import { Member } from "../support/member.ts";
import { Person, type MatrixEvent } from "../support/people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";
import { loudest, packetsBelow, toneBelow } from "../support/voice-search.ts";

const RATE = 48_000;
const ANN_HZ = 520;
const BOB_HZ = 1_870;
/** From the event's handling until the media plane has its list: within one process and one pipe. */
const HANDLED_MS = 100;
/** Nothing of a tone is louder where it is not. */
const ABSENT_DB = -75;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let directory: string;
let synapse: Synapse;
let voices: { ann: string; bob: string };
let users = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-consent-"));
  voices = { ann: join(directory, "ann.wav"), bob: join(directory, "bob.wav") };
  await writeFile(voices.ann, voice(ANN_HZ, 90, 1));
  await writeFile(voices.bob, voice(BOB_HZ, 90, 2));
  synapse = await startSynapse();
}, 60_000);
afterAll(async () => {
  await synapse?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A tone with a little noise in it, so that no two of its packets are the same. 16 bit WAV, 48 kHz, mono. */
function voice(hz: number, seconds: number, seed: number): Uint8Array {
  const count = seconds * RATE;
  const wav = Buffer.alloc(44 + 2 * count);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + 2 * count, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(2 * RATE, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(2 * count, 40);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = (state / 2 ** 32 - 0.5) * 0.01;
    const sample = 0.2 * Math.sin((2 * Math.PI * hz * i) / RATE) + noise;
    wav.writeInt16LE(Math.round(sample * 32_767), 44 + 2 * i);
  }
  return wav;
}

/** One room with the bot; ann moderates it, bob is anybody. Both are in the channel and speak all the time. */
class Scene {
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly ann: { person: Person; member: Member };
  readonly bob: { person: Person; member: Member };
  readonly roomId: string;

  private constructor(bot: Bot, botUser: SynapseUser, ann: Scene["ann"], bob: Scene["bob"], roomId: string) {
    this.bot = bot;
    this.botUser = botUser;
    this.ann = ann;
    this.bob = bob;
    this.roomId = roomId;
  }

  static async start(): Promise<Scene> {
    const count = ++users;
    const [botUser, annUser, bobUser] = await Promise.all([
      synapse.createUser(`bot${count}`, { displayName: "Bot", exempt: true }),
      synapse.createUser(`ann${count}`, { displayName: "Ann", exempt: true }),
      synapse.createUser(`bob${count}`, { displayName: "Bob", exempt: true }),
    ]);
    const [bot, ann, bob] = await Promise.all([
      Bot.start({ user: botUser }),
      Person.start(annUser),
      Person.start(bobUser),
    ]);
    const roomId = await ann.createVoiceRoom({ invite: [botUser.userId, bobUser.userId] });
    await bob.join(roomId);
    await bot.event("room_joined", { room: roomId });
    const members = await Promise.all([annUser, bobUser].map((session) => Member.start({ session, roomId })));
    for (const member of members) await member.join();
    const scene = new Scene(
      bot,
      botUser,
      { person: ann, member: members[0]! },
      { person: bob, member: members[1]! },
      roomId,
    );
    await scene.says("!join", /./);
    await Promise.all(members.map((member) => member.connected(scene.botKey)));
    return scene;
  }

  get botKey(): string {
    return `${this.botUser.deviceId}${this.botUser.userId}`;
  }

  get recordings(): string {
    return join(this.bot.dataDir, "recordings");
  }

  async speak(): Promise<void> {
    await Promise.all([
      this.ann.member.speak({ file: voices.ann }),
      this.bob.member.speak({ file: voices.bob }),
    ]);
  }

  /** Somebody says something, and the bot answers. @returns the bot's message */
  async says(text: string, answer: RegExp, who: Person = this.ann.person): Promise<MatrixEvent> {
    const { position } = this.ann.person;
    await who.sendText(this.roomId, text);
    return this.botSays(answer, position);
  }

  botSays(answer: RegExp, after = 0, timeoutMs = 60_000): Promise<MatrixEvent> {
    return this.ann.person.waitForEvent(
      ({ roomId, sender, type, content }) =>
        roomId === this.roomId &&
        sender === this.botUser.userId &&
        type === "m.room.message" &&
        answer.test(String(content["body"])),
      timeoutMs,
      after,
    );
  }

  /** The newest recording's journal. */
  async journal(): Promise<JournalEntry[]> {
    const newest = (await readdir(this.recordings)).sort().at(-1);
    return (await readJournal(join(this.recordings, newest ?? ""))).entries;
  }

  /** Waits until somebody's word is on disk. @returns when it was handled, wall clock in ms, and since the start */
  async wordKept(agreed: boolean): Promise<{ atMs: number; sinceStartMs: number }> {
    for (let i = 0; i < 200; i++) {
      const entries = await this.journal();
      const word = entries.findLast((entry) => entry.kind === "consent" && entry.agreed === agreed);
      if (word) return { atMs: word.wallMs, sinceStartMs: word.atMs - entries[0]!.atMs };
      await sleep(50);
    }
    throw new Error("nobody's word is in the journal");
  }

  async close(): Promise<void> {
    await Promise.all([this.ann.member.kill(), this.bob.member.kill()]);
    await Promise.all([this.ann.person.stop(), this.bob.person.stop()]);
    await this.bot.discard();
  }
}

const nothing = {};
/** Those in which it is there. */
const filesWith = (tones: Record<string, number>): string[] =>
  Object.keys(tones)
    .filter((name) => tones[name]! > ABSENT_DB)
    .sort();

test("it is said aloud; a reaction takes one out from that moment on, and taking it back takes them in again", async () => {
  const scene = await Scene.start();
  try {
    const { ann, bob } = scene;
    const startedAt = Date.now();
    const notice = await scene.says("!record start", /^Recording\./);
    await sleep(3_500);
    const heard = await bob.member.heard(scene.botKey, startedAt);
    const clip = await decodeFile(new URL("../../audio/recording-notice-en.ogg", import.meta.url).pathname);
    expect(correlate(clip.samples, heard.samples, RATE).correlation).toBeGreaterThan(0.7);

    await scene.speak();
    await sleep(4_000);
    const reaction = await bob.person.react(scene.roomId, notice.eventId, "🔇");
    const out = await scene.wordKept(false);
    await scene.botSays(/Not in the recording from now on: Bob/);
    await sleep(3_000);
    const before = (await bob.member.sent()).filter(({ atMs }) => atMs < out.atMs - 1_000);
    const after = (await bob.member.sent()).filter(({ atMs }) => atMs > out.atMs + HANDLED_MS);
    expect(after.length).toBeGreaterThan(100);
    // The search finds what is there: all but what is not flushed yet is.
    const there = await packetsBelow(scene.bot.dataDir, before);
    expect(Object.values(there).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(before.length * 0.95);
    expect(await packetsBelow(scene.bot.dataDir, after)).toEqual(nothing);

    await bob.person.redact(scene.roomId, reaction);
    const back = await scene.wordKept(true);
    await scene.botSays(/In the recording from now on: Bob/);
    await sleep(3_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);
    const between = (await bob.member.sent()).filter(
      ({ atMs }) => atMs > out.atMs + HANDLED_MS && atMs < back.atMs - HANDLED_MS,
    );
    expect(await packetsBelow(scene.bot.dataDir, between)).toEqual(nothing);

    const exports = join(scene.recordings, (await readdir(scene.recordings))[0] ?? "", "export");
    for (const name of await readdir(exports)) {
      if (!name.endsWith(".ogg")) continue;
      const { samples } = await decodeFile(join(exports, name));
      const at = (ms: number): number => Math.round((ms * RATE) / 1000);
      const left = samples.subarray(at(out.sinceStartMs + 300), at(back.sinceStartMs - 300));
      expect([name, loudest(left, BOB_HZ) > ABSENT_DB]).toEqual([name, false]);
      if (name.startsWith("Ann")) expect(loudest(left, ANN_HZ)).toBeGreaterThan(-30);
      if (name.startsWith("Bob")) {
        expect(loudest(samples.subarray(0, at(out.sinceStartMs)), BOB_HZ)).toBeGreaterThan(-30);
        expect(loudest(samples.subarray(at(back.sinceStartMs + 500)), BOB_HZ)).toBeGreaterThan(-30);
      }
    }
    expect(ann.member.key).toBeTruthy();
  } finally {
    await scene.close();
  }
}, 180_000);

test("!optout delete: nothing of them is anywhere, from the beginning, also after a kill; the others are all there", async () => {
  const scene = await Scene.start();
  try {
    const { ann, bob } = scene;
    await scene.says("!record start", /^Recording\./);
    await scene.speak();
    await sleep(5_000);
    const said = (await bob.member.sent()).slice(0, -60);
    const there = await packetsBelow(scene.bot.dataDir, said);
    expect(Object.values(there).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(said.length * 0.95);

    await scene.says("!optout delete", /^Removed: what you had said in 1 recordings/, bob.person);
    expect(await packetsBelow(scene.bot.dataDir, await bob.member.sent())).toEqual(nothing);
    expect((await scene.journal()).some((entry) => entry.kind === "erased")).toBe(true);

    await sleep(2_000);
    await scene.bot.kill();
    await scene.bot.startAgain();
    await Promise.all([ann, bob].map(({ member }) => member.connected(scene.botKey, 60_000)));
    await sleep(6_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);

    expect(await packetsBelow(scene.bot.dataDir, await bob.member.sent())).toEqual(nothing);
    const bobs = await toneBelow(scene.recordings, BOB_HZ);
    const anns = await toneBelow(scene.recordings, ANN_HZ);
    expect(filesWith(bobs)).toEqual([]);
    expect(filesWith(anns).some((name) => name.endsWith(".mvt"))).toBe(true);
    expect(filesWith(anns).filter((name) => name.endsWith(".ogg")).length).toBeGreaterThanOrEqual(2);
    const files = scene.ann.person.events.filter(({ content }) => content["msgtype"] === "m.audio");
    expect(files.length).toBeGreaterThan(0);
    for (const { content } of files) {
      const path = join(directory, "delivered");
      await writeFile(path, await ann.person.downloadMedia(String(content["url"])));
      expect(loudest((await decodeFile(path)).samples, BOB_HZ)).toBeLessThan(ABSENT_DB);
    }
  } finally {
    await scene.close();
  }
}, 240_000);

test("in a room that asks first nobody is recorded who did not agree, and who refused for good never is", async () => {
  const scene = await Scene.start();
  try {
    const { ann, bob } = scene;
    await scene.says("!settings record.consent opt-in", /record\.consent/);
    await scene.says("!optout always", /any recording in this room/, bob.person);
    const notice = await scene.says("!record start", /^Recording\..*who agrees/s);
    await scene.speak();
    await sleep(2_000);
    const silent = await ann.member.sent();
    expect(await packetsBelow(scene.bot.dataDir, [...silent, ...(await bob.member.sent())])).toEqual(nothing);
    await ann.person.react(scene.roomId, notice.eventId, "✅");
    await scene.botSays(/In the recording from now on: Ann/);
    await sleep(4_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);
    expect(
      await packetsBelow(scene.bot.dataDir, [...silent.slice(0, -10), ...(await bob.member.sent())]),
    ).toEqual(nothing);
    expect(filesWith(await toneBelow(scene.recordings, BOB_HZ))).toEqual([]);
    expect(filesWith(await toneBelow(scene.recordings, ANN_HZ)).length).toBeGreaterThan(1);
  } finally {
    await scene.close();
  }
}, 180_000);
