/** What a stream gives, in order. */
export type Piece =
  /** Once, before anything else. `lengthMs`: of what is complete; null: it is live, what is not heard now is not there later. */
  | { kind: "opened"; lengthMs: number | null }
  /** What follows is unlike what came before: a decoder of its own. `format` is ffmpeg's name of it, null to look. */
  | { kind: "fresh"; format: string | null; skipMs: number }
  /** At most a segment. It must not be changed. */
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "title"; title: string | null };

/** One connection to a stream: ends when the stream has ended. @throws BotError; `retryable` when another may do better */
export type Feed = AsyncGenerator<Piece, void, void>;
