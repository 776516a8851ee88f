// A homeserver, the bot as an operator runs it, and two people in the channel who speak tones all the time: what it takes to
// look for the voice of one of them.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJournal, type JournalEntry } from "../../src/recorder/journal.ts";
import { Bot } from "./bot.ts";
import { Member } from "./member.ts";
import { Person, type MatrixEvent } from "./people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "./synapse.ts";
import { wavOf } from "./wav.ts";

const RATE = 48_000;
export const ANN_HZ = 520;
export const BOB_HZ = 1_870;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A homeserver and two voices, for one room after the other. */
export class TwoVoices {
  readonly directory: string;
  readonly synapse: Synapse;
  readonly ann: string;
  readonly bob: string;
  #rooms = 0;

  private constructor(directory: string, synapse: Synapse) {
    this.directory = directory;
    this.synapse = synapse;
    this.ann = join(directory, "ann.wav");
    this.bob = join(directory, "bob.wav");
  }

  static async start(): Promise<TwoVoices> {
    const directory = await mkdtemp(join(tmpdir(), "voicebot-voices-"));
    const voices = new TwoVoices(directory, await startSynapse());
    await writeFile(voices.ann, voice(ANN_HZ, 90, 1));
    await writeFile(voices.bob, voice(BOB_HZ, 90, 2));
    return voices;
  }

  /** A room with a bot of its own. @param inside the bot is in the channel, and connected to both */
  async room({ inside = true }: { inside?: boolean } = {}): Promise<VoicesRoom> {
    return VoicesRoom.start(this, ++this.#rooms, inside);
  }

  async stop(): Promise<void> {
    await this.synapse.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A tone with a little noise in it, so that no two of its packets are the same. 16 bit WAV, 48 kHz, mono. */
function voice(hz: number, seconds: number, seed: number): Uint8Array {
  let state = seed;
  const samples = Int16Array.from({ length: seconds * RATE }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = (state / 2 ** 32 - 0.5) * 0.01;
    return Math.round((0.2 * Math.sin((2 * Math.PI * hz * i) / RATE) + noise) * 32_767);
  });
  return wavOf(samples, 1);
}

/** One room with the bot; ann moderates it, bob is anybody. Both are in the channel and speak all the time. */
export class VoicesRoom {
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly ann: { person: Person; member: Member };
  readonly bob: { person: Person; member: Member };
  readonly roomId: string;
  readonly #voices: TwoVoices;

  private constructor(
    voices: TwoVoices,
    bot: Bot,
    botUser: SynapseUser,
    ann: VoicesRoom["ann"],
    bob: VoicesRoom["bob"],
    roomId: string,
  ) {
    this.#voices = voices;
    this.bot = bot;
    this.botUser = botUser;
    this.ann = ann;
    this.bob = bob;
    this.roomId = roomId;
  }

  static async start(voices: TwoVoices, count: number, inside: boolean): Promise<VoicesRoom> {
    const { synapse } = voices;
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
    const scene = new VoicesRoom(
      voices,
      bot,
      botUser,
      { person: ann, member: members[0]! },
      { person: bob, member: members[1]! },
      roomId,
    );
    if (!inside) return scene;
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
      this.ann.member.speak({ file: this.#voices.ann }),
      this.bob.member.speak({ file: this.#voices.bob }),
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
