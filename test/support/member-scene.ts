// A homeserver, the bot as an operator runs it, a host and a headless member of the channel: what it takes to see what
// becomes of the bot's membership. No browser.
import { Bot } from "./bot.ts";
import { Member } from "./member.ts";
import { callStateType, Person, type MatrixEvent, type VoiceRoomOptions } from "./people.ts";
import { startSynapse, type Synapse, type SynapseOptions, type SynapseUser } from "./synapse.ts";

export class MemberScene {
  synapse: Synapse;
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly host: Person;
  readonly hostUser: SynapseUser;
  readonly roomId: string;
  readonly #members: Member[] = [];

  private constructor(
    synapse: Synapse,
    bot: Bot,
    botUser: SynapseUser,
    host: Person,
    hostUser: SynapseUser,
    roomId: string,
  ) {
    this.synapse = synapse;
    this.bot = bot;
    this.botUser = botUser;
    this.host = host;
    this.hostUser = hostUser;
    this.roomId = roomId;
  }

  static async start(
    options: SynapseOptions = {},
    { mediaDir, room = {} }: { mediaDir?: string; room?: VoiceRoomOptions } = {},
  ): Promise<MemberScene> {
    const synapse = await startSynapse(options);
    const ended: (() => Promise<unknown>)[] = [() => synapse.stop()];
    try {
      const [botUser, hostUser] = [
        await synapse.createUser("bot", { displayName: "Bot" }),
        await synapse.createUser("host", { exempt: true }),
      ];
      const host = await Person.start(hostUser);
      ended.push(() => host.stop());
      const bot = await Bot.start({ user: botUser, ...(mediaDir === undefined ? {} : { mediaDir }) });
      ended.push(() => bot.discard());
      const roomId = await host.createVoiceRoom({ ...room, invite: [botUser.userId] });
      await bot.event("room_joined", { room: roomId });
      return new MemberScene(synapse, bot, botUser, host, hostUser, roomId);
    } catch (error) {
      for (const end of ended.toReversed()) await end();
      throw error;
    }
  }

  /** Takes the homeserver away for a while; needs a scene whose options name its `dir`. */
  async restartSynapse(options: SynapseOptions, awayMs: number): Promise<void> {
    const port = Number(new URL(this.synapse.baseUrl).port);
    await this.synapse.stop();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    this.synapse = await startSynapse({ ...options, port });
  }

  /** The bot's state key. */
  get botKey(): string {
    return `${this.botUser.deviceId}${this.botUser.userId}`;
  }

  /** The host's device in the channel of a room, joined. */
  async member(roomId = this.roomId): Promise<Member> {
    const member = await Member.start({
      session: this.hostUser,
      roomId,
      key: `host-${this.#members.length}`,
    });
    this.#members.push(member);
    await member.join();
    return member;
  }

  /** The host says a command and waits for what the bot says to it. */
  async command(text: string, answer: RegExp, roomId = this.roomId): Promise<void> {
    const { position } = this.host;
    await this.host.sendText(roomId, text);
    await this.host.waitForMessage(roomId, answer, 30_000, position);
  }

  /** The bot's next membership event of this kind in the channel. */
  membership(
    joinState: "JOINED" | "LEFT",
    after: number,
    timeoutMs: number,
    roomId = this.roomId,
  ): Promise<MatrixEvent> {
    return this.host.waitForEvent(
      (event) =>
        event.roomId === roomId &&
        event.type === callStateType &&
        event.stateKey === this.botKey &&
        event.content["join_state"] === joinState,
      timeoutMs,
      after,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()));
    await this.host.stop();
    await this.bot.discard();
    await this.synapse.stop();
  }
}
