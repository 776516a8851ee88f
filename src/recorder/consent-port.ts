import type { ConsentMode, Journal, JournalEntry } from "./journal.ts";

/** A recording that begins, or goes on, as whoever decides about consent needs it. */
export interface ConsentedRecording {
  id: string;
  directory: string;
  journal: Pick<Journal, "add" | "flush">;
  /** What the journal has already: empty at a beginning, everything so far when it goes on after a restart. */
  entries: readonly JournalEntry[];
}

/**
 * Whose voice the recorder may keep. It asks again whenever the people in the channel change and on every `onChange`, and
 * tells the media plane at once.
 */
export interface RecordingConsent {
  /** What a recording that begins now starts with. */
  readonly mode: ConsentMode;
  agreed(userId: string): boolean;
  /** Before anything is written. */
  began(recording: ConsentedRecording): void;
  /**
   * Nothing is written any more; also before a restart after which it goes on.
   * @param how `discarded`: it never began, or is thrown away at once: what was said before it is for the next
   */
  ended(how?: "discarded"): void;
  /**
   * @param listener called at once; what it returns is awaited before anybody is told that their word holds
   * @returns a function that removes the listener.
   */
  onChange(listener: () => Promise<void> | void): () => void;
}

/** Where nobody asks: everybody is recorded. */
export const everybodyAgrees: RecordingConsent = {
  mode: "opt-out",
  agreed: () => true,
  began: () => undefined,
  ended: () => undefined,
  onChange: () => () => undefined,
};
