import { SerialQueue, withTimeout } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BoundedMap, SeenSet } from "../base/collections.ts";
import { BotError, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import type { UploadClaim } from "../player/resolver/resolver.ts";
import { decodeUpload } from "../player/resolver/upload.ts";
import { Choices } from "./choices.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { HandledCommands, type HandledDocuments } from "./handled.ts";
import { unmarkedName } from "../recorder/name-mark.ts";
import { refusalOf } from "./permission.ts";
import { parseCommand, parseNumber, threadOf, type ParsedCommand } from "./parser.ts";
import type { RoomContext, RoomMessage } from "./room-context.ts";
import { usersIn } from "../settings/lists.ts";
import { SenderLimits } from "./sender-limits.ts";
import { findCommand, unknownCommand } from "./table.ts";

export interface RoomCommandsDeps {
  room: RoomContext;
  /** The store's documents of the room. */
  documents: HandledDocuments;
  clock: Clock;
  log: Log;
}

/** A button that somebody has pressed: a command without words. */
export interface Press {
  /** What the press is known by: each is carried out once, also over a kill. */
  eventId: string;
  /** The message that has the button. */
  on: string;
  sender: string;
  /** Of the command. */
  name: string;
  args: string;
  /** The track that the message showed; null: what is on. */
  track: string | null;
  ageMs: number;
}

/** A command that is older was said to a bot that was not there. */
export const MAX_AGE_MS = 120_000;
const RECENT_UPLOAD_MS = 300_000;
const RUN_MS = 120_000;
/** A wait that is longer is explained. */
const SOON_MS = 2_000;
/** Commands of one room under way at once; more are dropped (a flood). */
const MAX_UNDER_WAY = 20;
const REMEMBERED_UPLOADERS = 200;
const REMEMBERED_EVENTS = 500;
/** One person is told so often at most why a button does nothing for them. */
const REFUSED_EVERY_MS = 60_000;

interface HowToRun {
  ageMs: number;
  /** Nothing is answered. */
  isQuiet?: boolean;
  /** The track that is meant, where it is known. */
  track?: string;
  onRefused?: (error: BotError) => void;
}

/** Takes the messages of one room, runs the commands in them and answers. The one place where errors become replies. */
export class RoomCommands {
  readonly #room: RoomContext;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #turns = new SerialQueue();
  readonly #closing = new AbortController();
  readonly #seen = new SeenSet<string>(REMEMBERED_EVENTS);
  readonly #uploads = new BoundedMap<string, { upload: UploadClaim; atMs: number }>(REMEMBERED_UPLOADERS);
  readonly #handled: HandledCommands;
  readonly #limits = new SenderLimits();
  readonly #choices: Choices;
  /** When people were last told why a button did nothing. */
  readonly #refused = new BoundedMap<string, number>(REMEMBERED_UPLOADERS);
  #underWay = 0;
  #toldEncrypted = false;

  constructor({ room, documents, clock, log }: RoomCommandsDeps) {
    this.#room = room;
    this.#handled = new HandledCommands(documents);
    this.#clock = clock;
    this.#choices = new Choices(clock);
    this.#log = log;
  }

  /** Live events only. Resolves when the message was dealt with; never rejects. */
  async handle(message: RoomMessage): Promise<void> {
    if (this.#closing.signal.aborted || message.type !== "m.room.message") return;
    if (this.#isBot(message.sender) || !this.#seen.add(message.eventId)) return;
    const ageMs = Math.max(0, message.ageMs ?? this.#clock.wall() - message.originServerTs);
    this.#rememberUpload(message, ageMs);
    const { prefix, ownUserId } = this.#room;
    const ownName = this.#room.displayName(ownUserId);
    // While it records its name says so; people go on calling it as they know it.
    const ownNames = [...new Set([ownName, unmarkedName(ownName)])];
    const parsed = parseCommand(message.content, { prefix, ownUserId, ownNames }) ?? this.#answerOf(message);
    if (!parsed || this.#handled.has(message.eventId)) return;
    if (findCommand(parsed.name)?.urgent) {
      const isQuiet = this.#limits.admit(message.sender, this.#clock.now()) === "dropped";
      await this.#run(parsed, message, { ageMs, isQuiet }).finally(() => this.#limits.done(message.sender));
    } else if (ageMs > MAX_AGE_MS) {
      this.#log.info("event_dropped", { room: this.#room.roomId, reason: "command_too_old", ageMs });
    } else if (this.#underWay >= MAX_UNDER_WAY) {
      this.#log.warn("event_dropped", { room: this.#room.roomId, reason: "too_many_commands" });
    } else if (this.#admitted(message)) {
      this.#underWay++;
      await this.#run(parsed, message, { ageMs }).finally(() => {
        this.#underWay--;
        this.#limits.done(message.sender);
      });
    }
  }

  /**
   * A button was pressed: the same as the command, by the same rules. What it does is seen where the button is, so nothing is
   * answered but a refusal, once in a while. Never rejects.
   */
  async press({ eventId, on, sender, name, args, track, ageMs }: Press): Promise<void> {
    if (this.#closing.signal.aborted || this.#room.encrypted || this.#handled.has(eventId)) return;
    if (this.#isBot(sender)) return;
    if (this.#underWay >= MAX_UNDER_WAY) return;
    if (this.#limits.admit(sender, this.#clock.now()) !== "taken" && this.#room.powerOf(sender) < MODERATOR)
      return;
    const originServerTs = this.#clock.wall() - ageMs;
    const message = { eventId, type: "m.reaction", sender, ageMs, originServerTs, content: {} };
    const onRefused = (error: BotError): void => this.#refusePress(on, sender, error);
    this.#underWay++;
    const how = { ageMs, isQuiet: true, onRefused, ...(track === null ? {} : { track }) };
    await this.#run({ name, args, repliesTo: null }, message, how).finally(() => {
      this.#underWay--;
      this.#limits.done(sender);
    });
  }

  #refusePress(on: string, sender: string, { code, say }: BotError): void {
    if (code !== "not_permitted") return;
    const now = this.#clock.now();
    if (now - (this.#refused.get(sender) ?? -Infinity) < REFUSED_EVERY_MS) return;
    this.#refused.set(sender, now);
    const reason = render(say, this.#room.language).text;
    this.#room.reply(on, { key: "card.refused", params: { name: this.#room.displayName(sender), reason } });
  }

  /** Ends waiting downloads; later messages are ignored. Idempotent. */
  close(): void {
    this.#closing.abort();
  }

  /** The bot itself, and those that the room says are bots: two that answer each other never end. */
  #isBot(userId: string): boolean {
    return userId === this.#room.ownUserId || usersIn(this.#room.settings.get("bots")).includes(userId);
  }

  /** Whoever moderates could throw the bot out, and need not flood it. */
  #admitted({ sender, eventId, content }: RoomMessage): boolean {
    const verdict = this.#limits.admit(sender, this.#clock.now());
    if (verdict === "taken" || this.#room.powerOf(sender) >= MODERATOR) return true;
    this.#log.info("event_dropped", { room: this.#room.roomId, reason: "too_many_of_one" });
    if (verdict === "told" && !this.#room.encrypted)
      this.#room.reply(eventId, { key: "command.too_many" }, threadOf(content));
    return false;
  }

  async #run(
    parsed: ParsedCommand,
    message: RoomMessage,
    { ageMs, isQuiet = false, track, onRefused }: HowToRun,
  ): Promise<void> {
    const { roomId } = this.#room;
    const beganMs = this.#clock.now();
    const command = findCommand(parsed.name);
    const name = command?.name ?? "unknown";
    const thread = threadOf(message.content);
    const ending = new AbortController();
    const onClosing = (): void => ending.abort();
    this.#closing.signal.addEventListener("abort", onClosing, { once: true });
    try {
      this.#requireClear();
      if (!command) throw unknownCommand(parsed.name, this.#room.prefix);
      const { args, repliesTo, isLoose = false } = parsed;
      const recentUpload = this.#recentUpload(message.sender);
      const { signal } = ending;
      const [room, choices] = [this.#room, this.#choices];
      const meant = track === undefined ? {} : { track };
      const unlessSoon = (sentence: Sentence): (() => void) => {
        const say = (): void =>
          void (!signal.aborted && !isQuiet && room.reply(message.eventId, sentence, thread));
        const timer = this.#clock.timer(SOON_MS, say);
        return () => timer.cancel();
      };
      const given = {
        room,
        message,
        args,
        repliesTo,
        isLoose,
        ageMs,
        recentUpload,
        choices,
        signal,
        unlessSoon,
      };
      const invocation = { ...given, ...meant };
      const answer = await withTimeout(this.#clock, RUN_MS, name, this.#inOrder(command, invocation));
      this.#handled.add(message.eventId);
      if (answer && !isQuiet) this.#room.reply(message.eventId, answer, thread);
      this.#log.info("command", { name, room: roomId, ok: true, ms: this.#sinceMs(beganMs) });
    } catch (thrown) {
      const error = toBotError(thrown);
      const fields = { name, room: roomId, code: error.code, ms: this.#sinceMs(beganMs) };
      this.#log.info("command", { ...fields, ok: false });
      if (error.code === "internal") this.#log.error("command_failed", { ...fields, error });
      onRefused?.(error);
      if (isQuiet || this.#closing.signal.aborted || !this.#mayAnswer(error)) return;
      this.#room.reply(message.eventId, error.say, thread);
    } finally {
      // A command that took too long has been answered: what it still waits for must not hold up the next.
      ending.abort();
      this.#closing.signal.removeEventListener("abort", onClosing);
    }
  }

  #inOrder(command: Command, invocation: Invocation): ReturnType<typeof runCommand> {
    if (command.order === "once") return runCommand(command, invocation);
    const run = (): ReturnType<typeof runCommand> => this.#turns.run(() => runCommand(command, invocation));
    const preparing = command.prepare?.(invocation) ?? null;
    return preparing === null ? run() : preparing.then(run);
  }

  #requireClear(): void {
    if (!this.#room.encrypted) return;
    throw new BotError("room_encrypted", "the room is encrypted", { say: { key: "room.encrypted" } });
  }

  /** An encrypted room is told once. */
  #mayAnswer(error: BotError): boolean {
    if (error.code !== "room_encrypted") return true;
    const first = !this.#toldEncrypted;
    this.#toldEncrypted = true;
    return first;
  }

  /** A number alone is `!play` of what was offered to its sender under that number; else it is ordinary talk. */
  #answerOf({ sender, content }: RoomMessage): ParsedCommand | null {
    const number = parseNumber(content);
    if (number === null || !this.#choices.answers(sender, number)) return null;
    return { name: "play", args: String(number), repliesTo: null };
  }

  #rememberUpload({ sender, content }: RoomMessage, ageMs: number): void {
    const upload = decodeUpload(content);
    if (upload) this.#uploads.set(sender, { upload, atMs: this.#clock.now() - ageMs });
  }

  #recentUpload(sender: string): UploadClaim | null {
    const recent = this.#uploads.get(sender);
    return recent && this.#clock.now() - recent.atMs <= RECENT_UPLOAD_MS ? recent.upload : null;
  }

  #sinceMs(beganMs: number): number {
    return Math.round(this.#clock.now() - beganMs);
  }
}

async function runCommand(
  command: Command,
  invocation: Invocation,
): Promise<Awaited<ReturnType<Command["run"]>>> {
  const refusal = refusalOf(command, invocation);
  if (refusal === null) return command.run(invocation);
  const instead = command.otherwise?.(invocation) ?? null;
  if (instead === null) throw refusal;
  return instead;
}
