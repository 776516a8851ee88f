// The bot in its life: on a homeserver that a test can stop and start, behind a gateway that misbehaves when told, with
// headless members who count its packets.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bot } from "./bot.ts";
import { Gateway } from "./gateway.ts";
import { Member, type MemberPeerStats } from "./member.ts";
import { toneDb } from "./measure.ts";
import { callStateType, matrixRequest, Person } from "./people.ts";
import { sleep } from "./stage.ts";
import { startSynapse, type Synapse, type SynapseOptions, type SynapseUser } from "./synapse.ts";

const LOGS = new URL("../../.cache/e2e/", import.meta.url).pathname;
/** Longer than any of these tests plays. */
const TONE_S = 1200;

export interface FaultSceneOptions {
  /** One voice room for each, in which the bot can be told to play a tone of so many Hz: `!play tone440`. */
  readonly tones?: readonly number[];
  readonly synapse?: SynapseOptions;
  readonly env?: Readonly<Record<string, string>>;
}

export class FaultScene {
  readonly gateway: Gateway;
  readonly botUser: SynapseUser;
  readonly bot: Bot;
  readonly host: Person;
  readonly rooms: readonly string[];
  synapse: Synapse;
  readonly #ended: (() => Promise<unknown>)[];
  readonly #options: SynapseOptions;

  private constructor(
    parts: Pick<FaultScene, "gateway" | "botUser" | "bot" | "host" | "rooms" | "synapse">,
    options: SynapseOptions,
    ended: (() => Promise<unknown>)[],
  ) {
    ({ gateway: this.gateway, botUser: this.botUser, bot: this.bot } = parts);
    ({ host: this.host, rooms: this.rooms, synapse: this.synapse } = parts);
    this.#options = options;
    this.#ended = ended;
  }

  static async start(options: FaultSceneOptions = {}): Promise<FaultScene> {
    const { tones = [440], env = {} } = options;
    const directory = await mkdtemp(join(tmpdir(), "voicebot-life-"));
    const ended: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
    try {
      const mediaDir = join(directory, "media");
      await mkdir(mediaDir);
      for (const tone of tones) makeTone(join(mediaDir, `tone${tone}.opus`), tone);
      const synapseOptions = { ...options.synapse, dir: join(directory, "synapse") };
      const synapse = await startSynapse(synapseOptions);
      const gateway = await Gateway.start(synapse.baseUrl);
      ended.push(() => gateway.close());
      const botUser = await synapse.createUser("bot");
      const host = await Person.start(await synapse.createUser("host", { exempt: true }));
      ended.push(() => host.stop());
      const bot = await Bot.start({ user: botUser, mediaDir, env, homeserverUrl: gateway.baseUrl });
      ended.push(async () => {
        await mkdir(LOGS, { recursive: true });
        await writeFile(join(LOGS, `${botUser.deviceId}.log`), `${bot.proc.output}\n`);
        await bot.discard();
      });
      const rooms: string[] = [];
      for (const _ of tones) {
        const roomId = await host.createVoiceRoom({ invite: [botUser.userId], open: true });
        await bot.event("room_joined", { room: roomId });
        rooms.push(roomId);
      }
      const parts = { gateway, botUser, bot, host, rooms, synapse };
      return new FaultScene(parts, synapseOptions, ended);
    } catch (error) {
      for (const end of ended.toReversed()) await end();
      throw error;
    }
  }

  /** The bot's state key. */
  get botKey(): string {
    return `${this.botUser.deviceId}${this.botUser.userId}`;
  }

  get room(): string {
    return this.rooms[0] ?? "";
  }

  /** Somebody in the room, not in the channel yet. */
  async member(name: string, roomId = this.room): Promise<Member> {
    const session = await this.synapse.createUser(name, { exempt: true });
    await matrixRequest(session, "POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
    const member = await Member.start({ session, roomId });
    this.#ended.push(() => member.kill());
    return member;
  }

  /** The host says something and waits for what the bot answers. */
  async command(text: string, answer: RegExp, timeoutMs = 60_000, roomId = this.room): Promise<string> {
    const { position } = this.host;
    await this.host.sendText(roomId, text);
    return this.botSays(answer, timeoutMs, position, roomId);
  }

  async botSays(text: RegExp, timeoutMs: number, after: number, roomId = this.room): Promise<string> {
    const { content } = await this.host.waitForMessage(roomId, text, timeoutMs, after);
    return String(content["body"]);
  }

  /** The bot's own memberships that the room has seen, oldest first. */
  memberships(after = 0): string[] {
    return this.host.events
      .slice(after)
      .filter(({ type, sender }) => type === callStateType && sender === this.botUser.userId)
      .map(
        ({ stateKey, content }) =>
          `${stateKey === this.botKey ? "" : `${stateKey} `}${String(content["join_state"])}`,
      );
  }

  /** Everything that the bot wrote after an event. */
  written(after: number): number {
    return this.host.events.slice(after).filter(({ sender }) => sender === this.botUser.userId).length;
  }

  /** How often the bot's log has an event at a level that operators see. */
  told(...events: string[]): number {
    const seen = (level: unknown): boolean => level !== "debug";
    return this.bot.proc
      .jsonLines()
      .filter((line) => seen(line["level"]) && events.includes(String(line["event"]))).length;
  }

  async stopSynapse(): Promise<void> {
    await this.synapse.stop();
  }

  /** On the same data and address. */
  async startSynapse(): Promise<void> {
    const port = Number(new URL(this.synapse.baseUrl).port);
    this.synapse = await startSynapse({ ...this.#options, port });
  }

  async close(): Promise<void> {
    for (const end of this.#ended.splice(0).toReversed()) await end();
    await this.synapse.stop();
  }
}

/** Share of the packets of music that a member missed while `work` ran (0..1). */
export async function missedWhile(member: Member, key: string, work: () => Promise<void>): Promise<number> {
  const before = await statsOf(member, key);
  const startedMs = Date.now();
  await work();
  const after = await statsOf(member, key);
  const expected = (Date.now() - startedMs) / 20;
  return Math.max(0, expected - (after.packetsReceived - before.packetsReceived)) / expected;
}

/** Level of a tone in what a member heard of the bot in the last seconds, in dBFS. */
export async function toneHeard(member: Member, key: string, tone: number, lastMs = 2000): Promise<number> {
  const { samples } = await member.heard(key, Date.now() - lastMs - 500);
  const span = samples.subarray(0, Math.floor((lastMs / 1000) * 48_000));
  return span.length === 0 ? -Infinity : toneDb(span, 48_000, tone);
}

async function statsOf(member: Member, key: string): Promise<MemberPeerStats> {
  const stats = await member.stats(key);
  if (stats === null) throw new Error(`${member.key} has no connection to ${key}`);
  return stats;
}

export { sleep };

function makeTone(path: string, tone: number): void {
  const sine = ["-f", "lavfi", "-i", `sine=frequency=${tone}:duration=${TONE_S}`];
  const args = ["-v", "error", ...sine, "-b:a", "24k", "-c:a", "libopus", path];
  const { status, stderr } = spawnSync("ffmpeg", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
}
