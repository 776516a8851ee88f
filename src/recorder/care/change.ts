import type { KeepOptions } from "./rewrite.ts";

export interface RepairOptions extends KeepOptions {
  /** What a list outside of the folder knows of it, for a journal without a beginning. */
  known: { roomId: string; startedWallMs: number } | null;
}

/** One thing that was done. */
export type Change =
  | { what: "cut"; file: string; lostBytes: number }
  /** Records behind damage are there again. */
  | { what: "joined"; file: string; lostBytes: number; records: number }
  | { what: "header"; file: string }
  | { what: "epoch"; file: string }
  | { what: "closed"; file: string }
  | { what: "removed"; file: string }
  | { what: "journal_rebuilt"; entries: number }
  | { what: "ended" };
