// The stage of the end-to-end tests: one Synapse with default limits, one Chromium, and for each scenario a bot of its
// own (with the rate budget of a fresh user) and people in a voice room.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bot } from "./bot.ts";
import { TestBrowser, type PageMember, type PageMemberOptions, type Signal } from "./browser.ts";
import { correlate, type Match } from "./correlate.ts";
import { decodeFile } from "./decode.ts";
import { toMono, type Pcm } from "./measure.ts";
import { Person, type MatrixEvent, type VoiceRoomOptions } from "./people.ts";
import { startSynapse, type Synapse, type SynapseOptions, type SynapseUser } from "./synapse.ts";

export const AUDIO = new URL("../../audio/", import.meta.url).pathname;
export const FIRST_LIGHT = join(AUDIO, "first-light.mp3");
/** One file for each bot, by its device id, which is part of its key. */
const LOGS = new URL("../../.cache/e2e/", import.meta.url).pathname;
/**
 * What a browser heard is that track above this correlation. A wrong one stays under 0.35, a right one has 0.9 and more, and
 * less where a busy machine makes the browser's jitter buffer stretch the sound.
 */
export const THAT_TRACK = 0.6;
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface SceneOptions {
  readonly room?: VoiceRoomOptions;
  readonly env?: Readonly<Record<string, string>>;
  readonly mediaDir?: string;
  /** Leave the bot without an invitation. */
  readonly uninvited?: boolean;
  /** The homeserver lets the bot send as much as it likes, as an operator should arrange it: nobody waits for the limit. */
  readonly unlimited?: boolean;
}

type PageIce = Pick<PageMemberOptions, "iceServers" | "iceTransportPolicy">;

/** A member of a scene: the person and the page in which they are in the channel. */
export interface Cast {
  readonly user: SynapseUser;
  readonly person: Person;
  readonly page: PageMember;
}

/** One bot, one room, the people in it. */
export class Scene {
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly host: Person;
  readonly hostUser: SynapseUser;
  readonly roomId: string;
  readonly #stage: Stage;
  readonly #cast: Cast[] = [];

  constructor(
    stage: Stage,
    bot: Bot,
    botUser: SynapseUser,
    host: Person,
    hostUser: SynapseUser,
    roomId: string,
  ) {
    this.#stage = stage;
    this.bot = bot;
    this.botUser = botUser;
    this.host = host;
    this.hostUser = hostUser;
    this.roomId = roomId;
  }

  /** The bot's state key. */
  get botKey(): string {
    return `${this.botUser.deviceId}${this.botUser.userId}`;
  }

  /** The host's page; the host may do everything. */
  async hostPage(key = "Chrome", signal?: Signal, ice: PageIce = {}): Promise<Cast> {
    return this.#open(this.hostUser, this.host, key, signal, ice);
  }

  /** Somebody more, with power 0. */
  async guest(name: string, key: string, signal?: Signal): Promise<Cast> {
    const user = await this.#stage.user(name);
    const person = await Person.start(user);
    await this.host.invite(this.roomId, user.userId);
    await person.join(this.roomId);
    return this.#open(user, person, key, signal);
  }

  /** Says a command and waits for what the bot answers to it. */
  async command(text: string, answer: RegExp, timeoutMs = 20_000): Promise<string> {
    const { position } = this.host;
    await this.host.sendText(this.roomId, text);
    return this.botSays(answer, timeoutMs, position);
  }

  async botSays(text: RegExp, timeoutMs = 20_000, after = 0): Promise<string> {
    const event = await this.host.waitForEvent(
      ({ roomId, sender, type, content }) =>
        roomId === this.roomId &&
        sender === this.botUser.userId &&
        type === "m.room.message" &&
        content["msgtype"] === "m.notice" &&
        text.test(String(content["body"])),
      timeoutMs,
      after,
    );
    return String(event.content["body"]);
  }

  /** Files of recordings that the bot has posted so far. */
  deliveries(): MatrixEvent[] {
    return this.host.events.filter(
      ({ roomId, sender, content }) =>
        roomId === this.roomId && sender === this.botUser.userId && content["msgtype"] === "m.audio",
    );
  }

  /** Downloads and decodes a delivered file. */
  async delivered(fileName: string): Promise<Pcm> {
    const event = this.deliveries().findLast(({ content }) => content["body"] === fileName);
    if (!event) {
      const names = this.deliveries().map(({ content }) => String(content["body"]));
      throw new Error(`${fileName} was not delivered; there are ${JSON.stringify(names)}`);
    }
    return this.#stage.decode(await this.host.downloadMedia(String(event.content["url"])));
  }

  /** The bot's own membership events as the room has seen them: JOINED, LEFT, … */
  memberships(): string[] {
    return this.host.events
      .filter(({ roomId, stateKey }) => roomId === this.roomId && stateKey === this.botKey)
      .map(({ content }) => String(content["join_state"]));
  }

  /** The bot's names in the room, oldest first. */
  names(): string[] {
    return this.host.events
      .filter(
        ({ roomId, type, stateKey, content }) =>
          roomId === this.roomId &&
          type === "m.room.member" &&
          stateKey === this.botUser.userId &&
          content["membership"] === "join",
      )
      .map(({ content }) => String(content["displayname"]));
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#cast.map(async ({ page, person }) => {
        await page.close();
        await person.stop();
      }),
    );
    await this.host.stop();
    await this.bot.stop();
    await this.#keepLog();
    await this.bot.discard();
  }

  /** What the bot said, for who has to find out why a test failed. */
  async #keepLog(): Promise<void> {
    await mkdir(LOGS, { recursive: true });
    await writeFile(join(LOGS, `${this.botUser.deviceId}.log`), `${this.bot.proc.output}\n`);
  }

  async #open(
    user: SynapseUser,
    person: Person,
    key: string,
    signal?: Signal,
    ice: PageIce = {},
  ): Promise<Cast> {
    const page = await this.#stage.browser.open({
      session: user,
      roomId: this.roomId,
      key,
      ...ice,
      ...(signal === undefined ? {} : { signal }),
    });
    const cast = { user, person, page };
    this.#cast.push(cast);
    return cast;
  }
}

export class Stage {
  readonly synapse: Synapse;
  readonly browser: TestBrowser;
  readonly #reference: Float32Array;
  #scenes: Scene[] = [];
  readonly #leaving: Promise<void>[] = [];
  #users = 0;

  private constructor(synapse: Synapse, browser: TestBrowser, reference: Float32Array) {
    this.synapse = synapse;
    this.browser = browser;
    this.#reference = reference;
  }

  static async start(options: SynapseOptions = {}): Promise<Stage> {
    const [synapse, browser, reference] = await Promise.all([
      startSynapse(options),
      TestBrowser.start(),
      decodeFile(FIRST_LIGHT),
    ]);
    return new Stage(synapse, browser, toMono(reference));
  }

  /** A person whose own limits are lifted; names are made unique. */
  async user(name: string): Promise<SynapseUser> {
    return this.synapse.createUser(`${name}${++this.#users}`, { exempt: true, displayName: name });
  }

  async scene(options: SceneOptions = {}): Promise<Scene> {
    const [botUser, hostUser] = await Promise.all([
      this.synapse.createUser(`bot${++this.#users}`, {
        displayName: "Bot",
        exempt: options.unlimited === true,
      }),
      this.user("host"),
    ]);
    const [bot, host] = await Promise.all([
      Bot.start({
        user: botUser,
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.mediaDir === undefined ? {} : { mediaDir: options.mediaDir }),
      }),
      Person.start(hostUser),
    ]);
    const invite = options.uninvited === true ? [] : [botUser.userId];
    const roomId = await host.createVoiceRoom({ ...options.room, invite });
    if (options.uninvited !== true) await bot.event("room_joined", { room: roomId });
    const scene = new Scene(this, bot, botUser, host, hostUser, roomId);
    this.#scenes.push(scene);
    return scene;
  }

  /** How well something is the first shipped track, and where in it it begins. */
  matchFirstLight(heard: Pcm, options: { readonly segmentMs?: number } = {}): Match {
    return correlate(toMono(heard), this.#reference, heard.sampleRate, options);
  }

  async decode(bytes: Uint8Array<ArrayBuffer>): Promise<Pcm> {
    const directory = await mkdtemp(join(tmpdir(), "voicebot-decode-"));
    try {
      const path = join(directory, "file");
      await writeFile(path, bytes);
      return await decodeFile(path);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Closes the scenes so far beside what goes on: their music and pages would only load the machine. `close` waits for it. */
  clear(): void {
    for (const scene of this.#scenes) {
      const leaving = scene.close();
      leaving.catch(() => undefined);
      this.#leaving.push(leaving);
    }
    this.#scenes = [];
  }

  async close(): Promise<void> {
    this.clear();
    await Promise.all(this.#leaving);
    await this.browser.close();
    await this.synapse.stop();
  }
}
