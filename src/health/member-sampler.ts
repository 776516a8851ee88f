import type { Clock, Timer } from "../base/clock.ts";
import type { ChannelReport, MemberMedia } from "../diagnosis/report.ts";

export interface MemberSamplerDeps {
  clock: Clock;
  /** Of the channels that the bot is in. */
  reports: () => Promise<readonly ChannelReport[]>;
  count: (what: "packetsSent" | "packetsReceived" | "lateFrames", by: number) => void;
  observe: (
    what: "roundTrip" | "jitter" | "loss" | "level",
    value: number,
    labels?: { direction: "in" | "out" },
  ) => void;
}

/** The windows of the reports are as long. */
const EVERY_MS = 10_000;
/** As quiet as a muted microphone. */
const SILENCE_DBFS = -127;

/**
 * Reads every ten seconds how the sound of all channels travels, from the reports that !check is made of. Members go into
 * common sums and distributions: there is no trace of any one of them.
 */
export class MemberSampler {
  readonly #deps: MemberSamplerDeps;
  /** What was counted at the last sample, by channel and member. */
  #before = new Map<string, number>();
  #ways = { direct: 0, relayed: 0 };
  #protection = { red: 0, fec: 0 };
  #timer: Timer | null = null;
  #closed = false;

  constructor(deps: MemberSamplerDeps) {
    this.#deps = deps;
    this.#arm();
  }

  /** Connections at the last sample. */
  get ways(): Readonly<{ direct: number; relayed: number }> {
    return this.#ways;
  }

  /** At the last sample: members who get packets again, and channels with in-band FEC. */
  get protection(): Readonly<{ red: number; fec: number }> {
    return this.#protection;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#closed) return;
    const sample = (): Promise<void> =>
      this.#deps.reports().then(
        (reports) => this.#take(reports),
        // Next time, then.
        () => {},
      );
    this.#timer = this.#deps.clock.timer(EVERY_MS, () => void sample().finally(() => this.#arm()));
  }

  #take(reports: readonly ChannelReport[]): void {
    if (this.#closed) return;
    const before = this.#before;
    this.#before = new Map();
    this.#ways = { direct: 0, relayed: 0 };
    this.#protection = { red: 0, fec: 0 };
    const grown = (key: string, now: number): number => {
      this.#before.set(key, now);
      const was = before.get(key) ?? 0;
      // A new connection counts from nought: then all that it has is new.
      return now >= was ? now - was : now;
    };
    for (const { roomId, bot, members } of reports) {
      if (bot.media) this.#deps.count("lateFrames", grown(`late ${roomId}`, bot.media.lateFrames));
      if (bot.media?.encoder?.fec) this.#protection.fec++;
      for (const { key, link, media } of members) {
        if (!media) continue;
        this.#deps.count("packetsSent", grown(`out ${roomId} ${key}`, media.outgoing.packets));
        this.#deps.count("packetsReceived", grown(`in ${roomId} ${key}`, media.incoming.packets));
        if (link === "connected") this.#observe(media);
      }
    }
  }

  #observe({ relayed, roundTripMs, outgoing, incoming }: MemberMedia): void {
    const { observe } = this.#deps;
    if (outgoing.redundancy) this.#protection.red++;
    this.#ways[relayed === true ? "relayed" : "direct"]++;
    if (roundTripMs !== null) observe("roundTrip", roundTripMs / 1000);
    for (const [direction, { jitterMs, loss }] of [
      ["out", outgoing],
      ["in", incoming],
    ] as const) {
      if (jitterMs !== null) observe("jitter", jitterMs / 1000, { direction });
      if (loss !== null) observe("loss", loss, { direction });
    }
    const { levelDbfs } = incoming;
    if (levelDbfs !== null && levelDbfs > SILENCE_DBFS) observe("level", levelDbfs);
  }
}
