import type { Sentence } from "../base/messages/catalogue.ts";

/** `fault`: there is no sound; `weak`: there is, and it suffers; `note`: it may be meant so. */
export type Severity = "fault" | "weak" | "note";

/** Something that is wrong, in words that say what to do. */
export interface Finding {
  readonly severity: Severity;
  /** Device key of whom it is about; null: the bot. */
  readonly member: string | null;
  readonly say: Sentence;
}
