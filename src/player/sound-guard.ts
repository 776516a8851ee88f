import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PlaneEvent, PlaneResult } from "../media/plane.ts";
import { playName, type QueueState } from "./queue.ts";
import type { PlayerPlane } from "./sound.ts";
import { RESTING, watchdog, type StallCause, type Verdict, type WatchdogEvent } from "./watchdog.ts";

export interface SoundGuardDeps {
  plane: PlayerPlane;
  channel: string;
  clock: Clock;
  log: Log;
  state: () => QueueState;
  /** Members who have a connection: where there are none nobody misses anything. */
  connected: () => number;
  /** Carries it out for what is on. */
  onVerdict: (verdict: Verdict) => void;
}

/** How often it is looked at, while something should sound. */
const LOOK_MS = 3_000;
/** How often it is asked what leaves. */
const SENT_MS = 12_000;

/** Notices when what should sound does not: feeds the watchdog, and has a timer while something is on. */
export class SoundGuard {
  readonly #deps: SoundGuardDeps;
  #watchdog = RESTING;
  /** The play that the media plane has. */
  #opened: string | null = null;
  /** A stream that is connected again, and given up, by the plane itself. */
  #interrupted: string | null = null;
  #timer: Timer | null = null;
  /** Packets that had been sent to each, and how far the play was then. */
  #sent: { atMs: number; play: string; positionMs: number; packets: ReadonlyMap<string, number> } | null =
    null;
  #asking = false;
  #closed = false;

  constructor(deps: SoundGuardDeps) {
    this.#deps = deps;
  }

  /** The plane has this play: from now on it should sound. Null: it has none any more. */
  opened(play: string | null): void {
    this.#opened = play;
    this.changed();
  }

  /** What should sound is something else now, or nothing. */
  changed(): void {
    if (this.#closed) return;
    const { state, clock, connected } = this.#deps;
    const { now } = state();
    const play = playName(state());
    const isOff = now?.phase !== "playing" || play === null || play !== this.#opened;
    if (isOff || play === this.#interrupted || connected() === 0) this.#feed({ kind: "rest" });
    else this.#feed({ kind: "watch", play, track: now.track.id, nowMs: clock.now() });
    if (now?.phase === "playing") this.#arm();
    else this.#disarm();
  }

  /** What the plane says of the room's channel, when the queue has taken it in. */
  heard(event: PlaneEvent): void {
    const wanted = playName(this.#deps.state());
    const play = event.kind === "track.ended" ? event.follows : "track" in event ? event.track : null;
    // What went before may sound until what is wanted does.
    if (play === null || play !== wanted) return;
    if (this.#opened !== play) this.opened(play);
    if (event.kind === "track.interrupted") {
      this.#interrupted = play;
      this.changed();
    }
    if (event.kind !== "track.position") return;
    if (this.#interrupted !== null) {
      this.#interrupted = null;
      this.changed();
    }
    this.#feed({ kind: "moved", play, positionMs: event.positionMs, nowMs: this.#deps.clock.now() });
  }

  /** Somebody has found out that this play, if it is what should sound, does not. @returns whether it is: it is seen to */
  stalled(play: string, cause: StallCause): boolean {
    const state = this.#deps.state();
    if (this.#closed || state.now === null || playName(state) !== play) return false;
    this.#feed({ kind: "stalled", track: state.now.track.id, cause });
    return true;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#disarm();
  }

  #arm(): void {
    if (this.#timer !== null) return;
    const { clock } = this.#deps;
    const dueMs = clock.now() + LOOK_MS;
    this.#timer = clock.timer(LOOK_MS, () => {
      this.#timer = null;
      // First what became of the room meanwhile: who has just come has missed nothing yet.
      this.changed();
      this.#feed({ kind: "look", nowMs: clock.now(), lateMs: clock.now() - dueMs });
      void this.#askSent();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#sent = null;
  }

  #feed(event: WatchdogEvent): void {
    const { state, verdict } = watchdog(this.#watchdog, event);
    this.#watchdog = state;
    if (verdict === null) return;
    const { log, onVerdict } = this.#deps;
    this.#opened = null;
    this.#sent = null;
    log.warn("track_stalled", { track: playName(this.#deps.state()), ...verdict });
    onVerdict(verdict);
  }

  /** Whether the sound of what goes on leaves for those who are connected. Never rejects. */
  async #askSent(): Promise<void> {
    const { plane, channel, clock, state } = this.#deps;
    const { watched, last } = this.#watchdog;
    const before = this.#sent;
    if (watched === null || last === null || this.#asking) return;
    if (before !== null && clock.now() - before.atMs < SENT_MS) return;
    this.#asking = true;
    const stats = await plane.request({ kind: "stats", channel }).catch(() => null);
    this.#asking = false;
    const now = { atMs: clock.now(), ...last, packets: sentTo(stats) };
    if (this.#closed || stats === null || playName(state()) !== last.play) return;
    this.#sent = now;
    if (before === null || before.play !== now.play || now.positionMs <= before.positionMs) return;
    if (nothingLeft(before.packets, now.packets)) this.stalled(last.play, "unsent");
  }
}

/** Of those who are connected, and were sent something at all: others may want none. */
function sentTo(stats: PlaneResult<"stats"> | null): Map<string, number> {
  const served =
    stats?.peers.filter(({ state, packetsSent }) => state === "connected" && packetsSent > 0) ?? [];
  return new Map(served.map(({ peer, packetsSent }) => [peer, packetsSent]));
}

/** Nobody of those who were served before, and there is somebody, got anything since. */
function nothingLeft(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): boolean {
  const both = [...before].filter(([peer]) => now.has(peer));
  return both.length > 0 && both.every(([peer, packets]) => now.get(peer) === packets);
}
