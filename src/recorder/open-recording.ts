import type { Journal } from "./journal.ts";

/** A recording that is being written. */
export interface OpenRecording {
  id: string;
  directory: string;
  journal: Journal;
}
