import type { Clock, Timer } from "../base/clock.ts";
import type { MediaPlane, PlaneResult } from "../media/plane.ts";

type Stats = PlaneResult<"stats">;
type Peer = Stats["peers"][number];

export type SampledPlane = Pick<MediaPlane, "request" | "onEvent">;

export interface PeerSamplerDeps {
  clock: Clock;
  /** null: not there yet. */
  plane: () => SampledPlane | null;
  /** Channels in which somebody's sound flows. */
  channels: () => readonly string[];
  count: (what: "packetsSent" | "packetsReceived" | "packetsMissed" | "lateFrames", by: number) => void;
  observe: (what: "roundTrip" | "jitter" | "loss" | "level", value: number) => void;
}

const EVERY_MS = 10_000;
const COUNTED = ["packetsSent", "packetsReceived", "packetsMissed"] as const;
/** What counts as speech: below it is the noise of a room. */
const SPEECH_DBOV = -90;

/**
 * Reads every ten seconds how the sound of all channels travels. Members go into common sums and distributions: there is no
 * trace of any one of them.
 */
export class PeerSampler {
  readonly #deps: PeerSamplerDeps;
  /** What each connection had counted at the last sample, by channel and member. */
  #before = new Map<string, Peer>();
  #late = new Map<string, number>();
  #listening: (() => void) | null = null;
  #timer: Timer | null = null;
  #closed = false;

  constructor(deps: PeerSamplerDeps) {
    this.#deps = deps;
    this.#arm();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listening?.();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.timer(EVERY_MS, () => void this.#sample().finally(() => this.#arm()));
  }

  async #sample(): Promise<void> {
    const plane = this.#deps.plane();
    if (!plane) return;
    this.#listening ??= plane.onEvent((event) => {
      if (event.kind !== "levels") return;
      for (const { levelDbov } of event.speakers)
        if (levelDbov > SPEECH_DBOV) this.#deps.observe("level", levelDbov);
    });
    const before = this.#before;
    const late = this.#late;
    this.#before = new Map();
    this.#late = new Map();
    for (const channel of this.#deps.channels()) {
      // A channel that closes meanwhile has nothing to tell.
      const stats = await plane.request({ kind: "stats", channel }).catch(() => null);
      if (!stats || this.#closed) continue;
      this.#late.set(channel, stats.lateFrames);
      this.#deps.count("lateFrames", grown(late.get(channel), stats.lateFrames));
      for (const peer of stats.peers) {
        const key = `${channel} ${peer.peer}`;
        this.#before.set(key, peer);
        this.#take(before.get(key), peer);
      }
    }
  }

  #take(before: Peer | undefined, peer: Peer): void {
    const { count, observe } = this.#deps;
    // A new connection of the same member begins at nought: then all that it has is new.
    const same = before && COUNTED.every((name) => peer[name] >= before[name]);
    for (const name of COUNTED) count(name, peer[name] - (same ? before[name] : 0));
    if (peer.state !== "connected") return;
    if (peer.roundTripMs !== null) observe("roundTrip", peer.roundTripMs / 1000);
    if (peer.jitterMs !== null) observe("jitter", peer.jitterMs / 1000);
    if (peer.lossFraction !== null) observe("loss", peer.lossFraction);
  }
}

const grown = (before: number | undefined, now: number): number =>
  before === undefined || now < before ? now : now - before;
