import type { CheckContext } from "./context.ts";

/** `ok`; `warn`: works, and better known; `fail`: has to be mended; `skip`: could not be looked at. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

export interface Finding {
  verdict: Verdict;
  /** One line: what was found. */
  what: string;
  /** One line: what to do about it. */
  todo?: string;
}

/** One thing that is looked at. Checks know nothing of each other: what they share, the context has. */
export interface Check {
  /** Stable: programs read it. */
  readonly id: string;
  /** What is looked at, for the documentation. */
  readonly about: string;
  /** After this it counts as failed. */
  readonly limitMs: number;
  /** @throws Skipped when something else must be right first */
  run(context: CheckContext): Promise<Finding | Finding[]>;
}

export const ok = (what: string): Finding => ({ verdict: "ok", what });
export const warn = (what: string, todo: string): Finding => ({ verdict: "warn", what, todo });
export const fail = (what: string, todo: string): Finding => ({ verdict: "fail", what, todo });
