import type { Language, Sentence } from "../../base/messages/catalogue.ts";
import type { ExportFormat } from "../exporter.ts";

/** What the people of a room have set about recordings. */
export interface RoomWishes {
  format: ExportFormat;
  /** Everything as one file. */
  zip: boolean;
  language: Language;
  /** How many days recordings are kept; 0: as long as the operator keeps them. */
  keepDays: number;
}

/** A file as it is posted. */
export interface DeliveredFile {
  mxc: string;
  fileName: string;
  mimeType: string;
  bytes: number;
  /** Null: no sound. `waveform`: values from 0 to 1024 over its length. */
  audio: { durationMs: number; waveform: readonly number[] | null } | null;
}

/** The room that gets the files. */
export interface DeliveryRoom {
  readonly roomId: string;
  readonly wishes: RoomWishes;
  /** The largest file in bytes that the homeserver takes; null when it does not say. */
  uploadLimit(signal: AbortSignal): Promise<number | null>;
  /**
   * Uploads a file of the disk; waits for a homeserver that is away. @returns its mxc URI
   * @throws BotError `media_too_large`, others (retryable or not)
   */
  upload(path: string, options: { fileName: string; mimeType: string; signal: AbortSignal }): Promise<string>;
  /** Whether the homeserver still has an upload. */
  holds(mxc: string, signal: AbortSignal): Promise<boolean>;
  /** Posts an uploaded file; resolves with the event's id. The same `txnId` never posts twice. @throws BotError */
  post(file: DeliveredFile, txnId: string): Promise<string>;
  /** Says something in the room, once for the same `txnId`; resolves with the event's id. @throws BotError */
  say(sentence: Sentence, txnId: string): Promise<string>;
  /** Gives something that was said a new text. @throws BotError */
  edit(eventId: string, sentence: Sentence): Promise<unknown>;
}
