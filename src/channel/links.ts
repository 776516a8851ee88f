import { mediaFlows } from "./state.ts";
import type { ChannelState, Peer } from "./state.ts";
import type { ChannelMember } from "./visible.ts";

/* How it stands between us and each member, for who wants to know why there is no sound. */

/**
 * - `connected`: media can flow; `interrupted`: it could, and nothing arrives any more
 * - `connecting`: both descriptions are there, the way is being looked for
 * - `expected`: they are to offer; `answering`: they did, our answer has not left
 * - `offering`: our offer has not left; `offered`: they have not answered it
 * - `given_up`: until they show up again
 * - `apart`: we are not in the channel
 */
export type LinkPhase =
  | "connected"
  | "interrupted"
  | "connecting"
  | "expected"
  | "answering"
  | "offering"
  | "offered"
  | "given_up"
  | "apart";

/** One member as seen from us. Times are monotonic ms. */
export interface ChannelLink {
  readonly key: string;
  readonly userId: string;
  readonly memberSinceMs: number;
  readonly phase: LinkPhase;
  /** Since when it is connected; or, when it is not, since when it has been without a connection. */
  readonly sinceMs: number;
  /** It has offered or answered. */
  readonly described: boolean;
  /** Offers of ours without an answer, in a row. */
  readonly offersUnanswered: number;
  /** Connections that failed, in a row. */
  readonly failures: number;
}

function linkPhase(peer: Peer): LinkPhase {
  switch (peer.phase) {
    case "waiting":
      return "expected";
    case "due":
    case "making":
    case "sending":
      return "offering";
    case "offered":
      return "offered";
    case "owed":
    case "answering":
      return "answering";
    case "connecting":
      return peer.answerSent ? "connecting" : "answering";
    case "connected":
      return peer.shakyUntilMs === null ? "connected" : "interrupted";
    case "dormant":
      return "given_up";
  }
}

/** Remembers since when each member has been connected or not; the state itself forgets that with each new attempt. */
export class LinkTimes {
  #since = new Map<string, { connected: boolean; visitMs: number; atMs: number }>();

  /** Told of the members after every change. */
  update(members: Iterable<ChannelMember>, nowMs: number): void {
    const before = this.#since;
    this.#since = new Map();
    for (const { key, connected, sinceMs } of members) {
      const was = before.get(key);
      const same = was?.connected === connected && was.visitMs === sinceMs;
      this.#since.set(key, same ? was : { connected, visitMs: sinceMs, atMs: nowMs });
    }
  }

  /** @param inSinceMs when we came in; null when we are not in the channel */
  links(state: ChannelState, members: Iterable<ChannelMember>, inSinceMs: number | null): ChannelLink[] {
    return [...members].map(({ key, userId, sinceMs }) => {
      const peer = state.peers.get(key);
      const atMs = this.#since.get(key)?.atMs ?? sinceMs;
      const apart = inSinceMs === null && !mediaFlows(state, key);
      return {
        ...{ key, userId, memberSinceMs: sinceMs },
        phase: apart ? "apart" : peer ? linkPhase(peer) : "expected",
        // Before we came nobody could connect.
        sinceMs: Math.max(atMs, inSinceMs ?? atMs),
        described: peer !== undefined && (peer.spoken !== null || peer.offerStamp !== null),
        offersUnanswered: peer?.attempts ?? 0,
        failures: peer?.failures ?? 0,
      };
    });
  }
}
