import type { Language, Sentence } from "../base/messages/catalogue.ts";
import type { ChannelReport } from "../diagnosis/report.ts";
import type { BotStatus } from "../health/status.ts";
import type { Editing } from "../player/editing.ts";
import type { ListenerVolumes } from "../player/listener-volumes.ts";
import type { RoomPlayer } from "../player/playback.ts";
import type { QueueState } from "../player/queue.ts";
import type { SavedLists } from "../player/saved-lists.ts";
import type { Sources } from "../player/resolver/resolver.ts";
import type { ConsentScope } from "../recorder/consent/consent.ts";
import type { Removed } from "../recorder/consent/removal.ts";
import type { RoomRecorder } from "../recorder/recorder.ts";
import type { RoomRecordings } from "../recorder/shelf/room-recordings.ts";
import type { RoomClips } from "../recorder/clip/clips.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { SkipVotes } from "./skip-votes.ts";

/** A message as the homeserver gave it; the session's events are this and more. */
export interface RoomMessage {
  eventId: string;
  type: string;
  sender: string;
  /** The homeserver's own age of the event when we received it; null when it gave none. */
  ageMs: number | null;
  originServerTs: number;
  content: unknown;
}

/** The room's voice channel as commands need it. */
export interface CommandChannel {
  /** The bot is in it. */
  readonly joined: boolean;
  /** Members in it besides the bot, whether or not the bot is in it. */
  readonly people: number;
  /** This person is in it, and nobody else but the bot. */
  isAlone(userId: string): boolean;
  /** Resolves when the bot is in it and can be heard; at once when it already is. @throws BotError with a sentence */
  join(): Promise<void>;
  /** Resolves when LEFT was taken. */
  leave(): Promise<void>;
}

/** What people say about being recorded: each for themselves. It holds when the promise resolves, and is kept. */
export interface ConsentControl {
  /** Whether there is a recording that it is about; else it is about the next. */
  readonly recording: boolean;
  optOut(userId: string, scope: ConsentScope): Promise<void>;
  optIn(userId: string, scope: ConsentScope): Promise<void>;
  /** Deletes what there is of who has opted out. */
  remove(userId: string): Promise<Removed>;
}

/** What commands may know of a room and do in it. The app makes one for each room. */
export interface RoomContext {
  readonly roomId: string;
  readonly ownUserId: string;
  readonly prefix: string;
  readonly language: Language;
  readonly encrypted: boolean;
  readonly channel: CommandChannel;
  readonly player: Pick<
    RoomPlayer,
    | "add"
    | "addMany"
    | "skip"
    | "meant"
    | "stop"
    | "pause"
    | "resume"
    | "setVolume"
    | "setFilters"
    | "volume"
    | "nowPlaying"
    | "queue"
  > & {
    readonly edit: Pick<Editing, keyof Editing>;
    readonly lists: Pick<SavedLists, keyof SavedLists>;
    state(): Pick<QueueState, "now" | "upcoming" | "history" | "loop" | "filters">;
  };
  /** Of those who may not skip by themselves. */
  readonly votes: Pick<SkipVotes, "mayVote" | "vote" | "withdraw">;
  /** Of single listeners. */
  readonly volumes: Pick<ListenerVolumes, "of" | "set">;
  readonly sources: Pick<Sources, "resolve" | "search" | "stations">;
  readonly recorder: Pick<
    RoomRecorder,
    "start" | "stop" | "status" | "report" | "pause" | "unpause" | "note" | "discard"
  >;
  readonly consent: ConsentControl;
  /** Those that are over. */
  readonly recordings: Pick<RoomRecordings, keyof RoomRecordings>;
  readonly clips: Pick<RoomClips, "make">;
  readonly settings: Pick<RoomSettings, "get" | "set" | "reset" | "named" | "isDefault">;
  /** How it stands with the channel now. Never rejects. */
  report(): Promise<ChannelReport>;
  /** The bot as a whole. */
  status(): BotStatus;
  powerOf(userId: string): number;
  powerNeeded(type: string, isState: boolean): number;
  displayName(userId: string): string;
  /** Whether somebody is in the room. */
  isHere(userId: string): boolean;
  /** User ids of those in the room who are shown by this name, whatever its case. */
  usersCalled(name: string): string[];
  /**
   * Answers a message (m.in_reply_to, m.notice). The same answer to the same message is sent once. Must not throw.
   * @param thread root of the thread that the message is in; default none
   */
  reply(eventId: string, sentence: Sentence, thread?: string | null): void;
  /** A message of the room by its id; null when there is none that the bot may see. */
  fetchMessage(eventId: string): Promise<RoomMessage | null>;
}
