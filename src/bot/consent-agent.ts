import { SerialQueue } from "../base/async.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { oneLine, render, type MessageKey, type Sentence } from "../base/messages/catalogue.ts";
import type { ConsentControl } from "../commands/room-context.ts";
import { noticeContent } from "../matrix/notices.ts";
import type { MatrixSession, RoomEvent, RoomState } from "../matrix/session.ts";
import type { MediaPlane } from "../media/plane.ts";
import { RoomConsent } from "../recorder/consent/consent.ts";
import { AGREEING, ConsentReactions, REFUSING } from "../recorder/consent/reactions.ts";
import { removeFromRunning, type Removed } from "../recorder/consent/removal.ts";
import { SpokenNotice, type Hearer } from "../recorder/consent/spoken-notice.ts";
import type { RecordingArchive } from "../recorder/archive.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import { reactionContent, RoomReactions } from "./reactions.ts";
import type { RoomTalk } from "./room-talk.ts";

export interface ConsentAgentDeps {
  room: Pick<RoomState, "id" | "ownUserId" | "encrypted" | "displayName">;
  session: Pick<MatrixSession, "outbox" | "readEvent">;
  talk: Pick<RoomTalk, "tell" | "language">;
  settings: Pick<RoomSettings, "get" | "onChange">;
  documents: RoomDocuments;
  plane: Pick<MediaPlane, "state" | "request">;
  archive: Pick<RecordingArchive, "erase">;
  people: { list(): readonly Hearer[]; onChange(listener: () => void): () => void };
  prefix: string;
  clock: Clock;
  log: Log;
}

/** Field of our messages about a recording, with its id: a reaction to one of them is a word about that recording. */
const RECORDING_FIELD = "matrix_voice_bot.recording";
/** Those that offer a reaction as a button. */
const BUTTONS: Partial<Record<MessageKey, string>> = {
  "record.started": REFUSING[0],
  "record.started_opt_in": AGREEING[0],
  "consent.stricter": AGREEING[0],
};
/** Confirmations of reactions are said together. */
const GATHER_MS = 3_000;
const NAMES_AT_MOST = 20;

/** Consent in one room, towards its people: what they are told of it, aloud too, and what they say by reaction or command. */
export class ConsentAgent {
  readonly consent: RoomConsent;
  readonly control: ConsentControl;
  readonly #deps: ConsentAgentDeps;
  readonly #words: ConsentReactions;
  readonly #reactions: RoomReactions;
  readonly #spoken: SpokenNotice;
  readonly #unsubscribe: () => void;
  /** Deleting and deleting again must not meet. */
  readonly #removals = new SerialQueue();
  /** Whom a reaction has taken out or in, since that was last said. */
  #taken = new Map<string, boolean>();
  #timer: Timer | null = null;
  #posted = 0;

  constructor(deps: ConsentAgentDeps) {
    this.#deps = deps;
    const { room, settings, documents, clock, log } = deps;
    this.consent = new RoomConsent({ documents, setting: () => settings.get("record.consent") });
    this.#spoken = new SpokenNotice({
      ...{ channel: room.id, plane: deps.plane, people: deps.people, clock, log },
      language: () => deps.talk.language,
    });
    this.#words = new ConsentReactions({
      ...{ consent: this.consent, clock, log },
      recordingOf: (eventId) => this.#recordingOf(eventId),
      onTaken: (userId, agreed) => this.#onTaken(userId, agreed),
    });
    this.#reactions = new RoomReactions(room.ownUserId, [this.#words]);
    this.consent.onChange(() => (this.consent.recording ? this.#spoken.began() : this.#spoken.ended()));
    this.#unsubscribe = settings.onChange(({ name }) => {
      if (name === "record.consent") this.#onMode();
    });
    this.control = this.#control();
  }

  /** Any event of the room. Resolves when what it says holds. */
  handle(event: RoomEvent): Promise<void> {
    return this.#reactions.handle(event);
  }

  /**
   * Says something about the recording that runs, once for the same `what`, in a message that can be reacted to.
   * @returns whether the homeserver has it; never rejects
   */
  async say(sentence: Sentence, what: string): Promise<boolean> {
    const { room, session, talk, log } = this.#deps;
    const recording = this.consent.recording?.id;
    if (room.encrypted) return true;
    const content = {
      ...noticeContent(render(sentence, talk.language)),
      ...(recording === undefined ? {} : { [RECORDING_FIELD]: recording }),
    };
    try {
      const outgoing = { kind: "message", type: "m.room.message", content } as const;
      const eventId = await session.outbox.send(room.id, outgoing, { priority: "reply", txnId: what });
      if (recording !== undefined) this.#words.posted(eventId, recording);
      const button = BUTTONS[sentence.key];
      if (button !== undefined) this.#offer(eventId, button, what);
      return true;
    } catch (error) {
      log.warn("send_failed", { what: "recording notice", reason: messageOf(error) });
      return false;
    }
  }

  /** The room has the documents of the one that it has replaced. */
  reload(): void {
    this.consent.reload().catch((error: unknown) => this.#failed(error));
  }

  /** Idempotent. */
  close(): void {
    this.#unsubscribe();
    this.#spoken.close();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #control(): ConsentControl {
    const { consent } = this;
    const kept = async (word: Promise<void>): Promise<void> => {
      try {
        await word;
      } catch (error) {
        if (error instanceof BotError && error.code === "queue_full") throw error;
        this.#failed(error);
        const params = { reason: messageOf(error).slice(0, 160) };
        const say = { key: "consent.unsure", params } as const;
        throw new BotError("disk_full", messageOf(error), { say, cause: error });
      }
    };
    return {
      get recording() {
        return consent.recording !== null;
      },
      optOut: (userId, scope) => kept(consent.optOut(userId, scope)),
      optIn: (userId, scope) => kept(consent.optIn(userId, scope)),
      remove: (userId) => this.#removals.run(() => this.#remove(userId)),
    };
  }

  async #remove(userId: string): Promise<Removed> {
    const { room, plane, archive, log } = this.#deps;
    const { recording } = this.consent;
    try {
      const nothing = { recordings: 0, files: 0, sent: 0 };
      const deps = { channel: room.id, plane, log };
      const running = recording ? await removeFromRunning(deps, recording, userId) : nothing;
      const finished = await archive.erase(room.id, userId);
      return {
        recordings: running.recordings + finished.recordings,
        files: running.files + finished.files,
        sent: finished.sent,
      };
    } catch (error) {
      this.#failed(error);
      const params = { reason: messageOf(error).slice(0, 160) };
      const say = { key: "consent.delete_failed", params } as const;
      throw new BotError("disk_full", messageOf(error), { say, cause: error });
    }
  }

  /** A button is worth an event only while the homeserver takes all we send. */
  #offer(eventId: string, key: string, what: string): void {
    const { room, session, log } = this.#deps;
    if (session.outbox.limited) return;
    const outgoing = { kind: "message", type: "m.reaction", content: reactionContent(eventId, key) } as const;
    session.outbox
      .send(room.id, outgoing, { priority: "card", txnId: `${what} button` })
      .catch((error: unknown) => log.info("send_failed", { what: "button", reason: messageOf(error) }));
  }

  #onMode(): void {
    const before = this.consent.mode;
    this.consent.settingChanged().catch((error: unknown) => this.#failed(error));
    const { recording, mode } = this.consent;
    if (!recording || mode === before) return;
    const what = `${recording.id} stricter ${this.#posted++} ${this.#deps.clock.wall()}`;
    void this.say({ key: "consent.stricter", params: { prefix: this.#deps.prefix } }, what);
  }

  /** By the message itself: also of an earlier run. */
  async #recordingOf(eventId: string): Promise<string | null> {
    const { room, session } = this.#deps;
    const event = await session.readEvent(room.id, eventId);
    const recording = event?.sender === room.ownUserId ? event.content[RECORDING_FIELD] : undefined;
    return typeof recording === "string" ? recording : null;
  }

  #onTaken(userId: string, agreed: boolean): void {
    const { clock } = this.#deps;
    this.#taken.set(userId, agreed);
    this.#timer ??= clock.timer(GATHER_MS, () => {
      this.#timer = null;
      const taken = [...this.#taken];
      this.#taken = new Map();
      for (const now of [false, true]) this.#confirm(now, taken);
    });
  }

  #confirm(agreed: boolean, taken: readonly (readonly [string, boolean])[]): void {
    const { room, talk } = this.#deps;
    const users = taken.filter(([, now]) => now === agreed).map(([userId]) => userId);
    if (users.length === 0 || !this.consent.recording) return;
    const names = users.slice(0, NAMES_AT_MOST).map((userId) => oneLine(room.displayName(userId)));
    if (users.length > NAMES_AT_MOST) names.push("…");
    talk.tell({ key: agreed ? "consent.in" : "consent.out", params: { names: names.join(", ") } });
  }

  #failed(error: unknown): void {
    this.#deps.log.error("handler_failed", { what: "consent", reason: messageOf(error) });
  }
}
