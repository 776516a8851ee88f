import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { MediaPlane, PlaneEvent, PlaneEventOf, PlaneState } from "../../src/media/plane.ts";
import { writeWav } from "../support/wav.ts";

// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, round, sin } = Math;

export const localIce = { servers: [], allowPrivate: "true" as const };

/** A plane under test with everything it said. */
export class Watched {
  readonly plane: MediaPlane;
  readonly events: PlaneEvent[] = [];
  readonly states: PlaneState[] = [];
  /** How many of them were awaited. */
  #awaited = 0;

  constructor(plane: MediaPlane) {
    this.plane = plane;
    plane.onEvent((event) => this.events.push(event));
    plane.onState((state) => this.states.push(state));
  }

  all<K extends PlaneEvent["kind"]>(kind: K): PlaneEventOf<K>[] {
    return this.events.filter((event): event is PlaneEventOf<K> => event.kind === kind);
  }

  /** The first event of the kind that matches, already seen or to come within 10 s. */
  async event<K extends PlaneEvent["kind"]>(
    kind: K,
    matches: (event: PlaneEventOf<K>) => boolean = () => true,
  ): Promise<PlaneEventOf<K>> {
    return until(`${kind} among ${JSON.stringify(this.events.slice(-10))}`, () =>
      this.all(kind).find(matches),
    );
  }

  /** The state is this one, or was it since the last call: a busy machine looks away longer than some last. */
  async state(state: PlaneState): Promise<void> {
    await until(`state ${state}`, () => {
      const at = this.states.indexOf(state, this.#awaited);
      if (at >= 0) this.#awaited = at + 1;
      return at >= 0 || this.plane.state === state || undefined;
    });
  }

  open(channel: string, bitrate = 128_000): Promise<object> {
    return this.plane.request({ kind: "channel.open", channel, ice: localIce, bitrate });
  }

  play(
    channel: string,
    file: string,
    more: { track?: string; positionMs?: number; paused?: boolean; gainDb?: number } = {},
  ): Promise<object> {
    const { track = path.basename(file), positionMs = 0, paused = false, gainDb = 0 } = more;
    return this.plane.request({
      kind: "play.start",
      channel,
      track,
      source: { path: file },
      positionMs,
      paused,
      gainDb,
    });
  }
}

/** Connects channel `channel` of both, as peers `a` and `b`, with the candidates that each finds. */
export async function connect(a: Watched, b: Watched, channel = "room"): Promise<void> {
  for (const [from, to, peer] of [
    [a, b, "a"],
    [b, a, "b"],
  ] as const) {
    from.plane.onEvent((event) => {
      if (event.kind !== "peer.candidate" || event.channel !== channel) return;
      const { candidate, mid } = event;
      to.plane.request({ kind: "peer.candidate", channel, peer, candidate, mid }).catch(() => undefined);
    });
  }
  await Promise.all([a.open(channel), b.open(channel)]);
  if (!(await offerOnce(a, b, channel))) throw new Error("the connection failed");
}

async function offerOnce(a: Watched, b: Watched, channel: string): Promise<boolean> {
  const [seenByA, seenByB] = [a.events.length, b.events.length];
  const offer = await a.plane.request({ kind: "peer.offer", channel, peer: "b" });
  const answer = await b.plane.request({ kind: "peer.answer", channel, peer: "a", sdp: offer.sdp });
  await b.plane.request({ kind: "peer.answered", channel, peer: "a" });
  await a.plane.request({ kind: "peer.accept", channel, peer: "b", sdp: answer.sdp });
  const last = (watched: Watched, seen: number, peer: string): string | undefined =>
    watched.events
      .slice(seen)
      .filter((event) => event.kind === "peer.state")
      .findLast((event) => event.channel === channel && event.peer === peer)?.state;
  return until("a connection", () => {
    const states = [last(a, seenByA, "b"), last(b, seenByB, "a")];
    if (states.includes("failed")) return false;
    return states.every((state) => state === "connected") || undefined;
  });
}

/** Polls until `look` gives something; rejects after 10 s. */
export async function until<T>(what: string, look: () => T | undefined, timeoutMs = 10_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(10);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A directory that goes with the test file that asked for it. */
export function temporaryDirectory(): () => string {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "plane-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return () => directory;
}

/** Writes a WAV file of 48 kHz stereo with one tone at half of full scale. */
export async function writeTone(file: string, frequency: number, seconds: number): Promise<string> {
  const tone = new Int16Array(2 * round(seconds * 48_000));
  for (let i = 0; i < tone.length; i++)
    tone[i] = round(16_384 * sin((2 * PI * frequency * (i >> 1)) / 48_000));
  return writeWav(file, tone);
}
