import type { PlaneEvent, PlaneRequest, PlaneRequestKind, PlaneResult } from "./messages.ts";

export type * from "./messages.ts";

/**
 * `down`: the media child is gone; every channel, peer, playback and recording in it is gone with it. `up`: a (new) one
 * is there, empty; or none is needed yet, and the first request starts one. Whoever wants something of it reconciles on
 * every change to `up`.
 */
export type PlaneState = "down" | "up" | "closed";

/**
 * The media plane as the control plane sees it. Implementations: in this process (tests), in a child process under a
 * supervisor (the bot), a fake (unit tests); all pass test/contract/plane.
 */
export interface MediaPlane {
  readonly state: PlaneState;
  /**
   * @param signal nobody wants it any more: `fetch.file` ends then, with `cancelled`; whatever else is short
   * @throws BotError `media_plane_down` (retryable) when the child dies or is not there, `timeout`, `bad_sdp`,
   * `engine_failed`, `media_unreadable`, `not_found` (no such channel or peer).
   */
  request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>>;
  /** @returns a function that removes the listener. */
  onEvent(listener: (event: PlaneEvent) => void): () => void;
  onState(listener: (state: PlaneState) => void): () => void;
  /** Closes everything in it, then it. Idempotent, bounded (≤ 3 s). */
  close(): Promise<void>;
}
