import type { MessageKey, Sentence } from "../base/messages/catalogue.ts";
import type { UploadClaim } from "../player/resolver/resolver.ts";
import type { Choices } from "./choices.ts";
import type { RoomContext, RoomMessage } from "./room-context.ts";

/** One command that somebody gave. */
export interface Invocation {
  room: RoomContext;
  message: RoomMessage;
  /** As written after the name, trimmed. */
  args: string;
  /** The message that the command is a reply to. */
  repliesTo: string | null;
  /** Nobody chose that: it is the message before it in a thread. */
  isLoose?: boolean;
  /** How long ago it was said, in ms. */
  ageMs: number;
  /** The sender's newest upload of the last 5 minutes, if any. */
  recentUpload: UploadClaim | null;
  /** The track that is meant, where that is known: the one on whose card somebody pressed. Else what was on as they wrote. */
  track?: string;
  /** What was offered to people in the room lately. */
  choices: Choices;
  /** Ends when the room or the bot closes, or the command took too long. */
  signal: AbortSignal;
  /** Says it unless what it stands for is over soon: call what is returned when it is. */
  unlessSoon: (sentence: Sentence) => () => void;
}

/** A command as data: help, permissions and answers come from here. */
export interface Command {
  name: string;
  aliases: readonly string[];
  /** How its arguments are written, for help; "" when it has none. Words in braces are those of `usage.…` in the catalogue. */
  usage: string;
  help: MessageKey;
  /** The power level that one needs; a function where it depends on what is asked. */
  power: number | ((invocation: Invocation) => number);
  /** Who may, for whom it is refused; default by the power level alone. Its parameters: `level`, `actual`. */
  refusal?: MessageKey;
  /** DJs of the room may what moderators may. */
  djs?: true | ((invocation: Invocation) => boolean);
  /** For everybody, whatever level a room would give it: else it could lock itself out, or keep somebody from a refusal. */
  pinned?: true;
  /** What is done for who may not; null: nothing, it is refused. @throws BotError */
  otherwise?(invocation: Invocation): Sentence | null;
  /** Whether what is asked concerns nobody but who asks: then no level is needed, whatever the room has set. */
  isOwn?(invocation: Invocation): boolean;
  /** `turn`: one after the other in a room, in the order they were said; `once`: without waiting for others. */
  order: "turn" | "once";
  /** It is carried out however old it is and however much its sender says: a refusal must not get lost. */
  urgent?: true;
  /**
   * What takes long (a download) and need not keep the turns of others waiting: done before its own turn. Null when there
   * is nothing of that kind. @throws BotError, which is the answer then
   */
  prepare?(invocation: Invocation): Promise<void> | null;
  /** @returns the answer; null when what was done speaks for itself. @throws BotError */
  run(invocation: Invocation): Promise<Sentence | null> | Sentence | null;
}

/** Power level of moderators. */
export const MODERATOR = 50;
