import { SerialQueue, withTimeout } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BoundedMap, SeenSet } from "../base/collections.ts";
import { BotError, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { UploadClaim } from "../player/resolver/resolver.ts";
import { decodeUpload } from "../player/resolver/upload.ts";
import { Choices } from "./choices.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { HandledCommands, type HandledDocuments } from "./handled.ts";
import { unmarkedName } from "../recorder/name-mark.ts";
import { refusalOf } from "./permission.ts";
import { parseCommand, parseNumber, type ParsedCommand } from "./parser.ts";
import type { RoomContext, RoomMessage } from "./room-context.ts";
import { SenderLimits } from "./sender-limits.ts";
import { findCommand, unknownCommand } from "./table.ts";

export interface RoomCommandsDeps {
  room: RoomContext;
  /** The store's documents of the room. */
  documents: HandledDocuments;
  clock: Clock;
  log: Log;
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
    if (message.sender === this.#room.ownUserId || !this.#seen.add(message.eventId)) return;
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

  /** Ends waiting downloads; later messages are ignored. Idempotent. */
  close(): void {
    this.#closing.abort();
  }

  /** Whoever moderates could throw the bot out, and need not flood it. */
  #admitted({ sender, eventId }: RoomMessage): boolean {
    const verdict = this.#limits.admit(sender, this.#clock.now());
    if (verdict === "taken" || this.#room.powerOf(sender) >= MODERATOR) return true;
    this.#log.info("event_dropped", { room: this.#room.roomId, reason: "too_many_of_one" });
    if (verdict === "told" && !this.#room.encrypted) this.#room.reply(eventId, { key: "command.too_many" });
    return false;
  }

  async #run(
    parsed: ParsedCommand,
    message: RoomMessage,
    { ageMs, isQuiet = false }: { ageMs: number; isQuiet?: boolean },
  ): Promise<void> {
    const { roomId } = this.#room;
    const beganMs = this.#clock.now();
    const command = findCommand(parsed.name);
    const name = command?.name ?? "unknown";
    const ending = new AbortController();
    const onClosing = (): void => ending.abort();
    this.#closing.signal.addEventListener("abort", onClosing, { once: true });
    try {
      this.#requireClear();
      if (!command) throw unknownCommand(parsed.name, this.#room.prefix);
      const { args, repliesTo } = parsed;
      const recentUpload = this.#recentUpload(message.sender);
      const { signal } = ending;
      const [room, choices] = [this.#room, this.#choices];
      const unlessSoon = (sentence: Sentence): (() => void) => {
        const say = (): void => void (!signal.aborted && !isQuiet && room.reply(message.eventId, sentence));
        const timer = this.#clock.timer(SOON_MS, say);
        return () => timer.cancel();
      };
      const given = { room, message, args, repliesTo, ageMs, recentUpload, choices, signal, unlessSoon };
      const invocation = { ...given };
      const answer = await withTimeout(this.#clock, RUN_MS, name, this.#inOrder(command, invocation));
      this.#handled.add(message.eventId);
      if (answer && !isQuiet) this.#room.reply(message.eventId, answer);
      this.#log.info("command", { name, room: roomId, ok: true, ms: this.#sinceMs(beganMs) });
    } catch (thrown) {
      const error = toBotError(thrown);
      const fields = { name, room: roomId, code: error.code, ms: this.#sinceMs(beganMs) };
      this.#log.info("command", { ...fields, ok: false });
      if (error.code === "internal") this.#log.error("command_failed", { ...fields, error });
      if (isQuiet || this.#closing.signal.aborted || !this.#mayAnswer(error)) return;
      this.#room.reply(message.eventId, error.say);
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
