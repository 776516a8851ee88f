// A sender's clock and the way to us, made up, with the truth about it: what arrives, when, and when it was captured.

/** Seeded, so that a failure can be looked at again (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface FarClock {
  seed: number;
  /** Since the recording's start. */
  fromMs: number;
  lengthMs: number;
  /** How much faster than ours it runs; how far that wanders to both sides, and in what time. */
  driftPpm: number;
  wanderPpm?: number;
  wanderPeriodMs?: number;
  /** Its sender lost time (a stalled capture): from there on everything was captured that much later. */
  steps?: readonly { atMs: number; ms: number }[];
  firstTimestamp?: number;
  firstSequence?: number;
  ssrc?: number;
  /** Samples of a packet, 960 by default. */
  samples?: number;
  /** One way each, from a time on; the first from the beginning. */
  routes: readonly { atMs: number; thereMs: number; backMs: number }[];
  /** Mean of what queues add to each packet. */
  jitterMs?: number;
  /** Congestion: about every so often, for up to so long, up to so much; on the way here alone. */
  bursts?: { everyMs: number; forMs: number; ms: number; hereAlone?: boolean };
  /** Share of packets that are lost, in runs of three on average; that overtake; that come twice. */
  loss?: number;
  reordered?: number;
  doubled?: number;
  /** Talks and is silent in turn, with a packet each 400 ms in silence. */
  dtx?: boolean;
  /** Sender reports every 5 s, with a wall clock that is off and may be set. */
  reports?: { wallPpm: number; sets?: readonly { atMs: number; ms: number }[] };
  /** Whether round trips are known. */
  roundTrips?: boolean;
}

export type FarEvent =
  | {
      type: "packet";
      arrivalMs: number;
      timestamp: number;
      ssrc: number;
      sequence: number;
      samples: number;
      /** The truth: when its first sample was captured. */
      capturedMs: number;
      talks: boolean;
    }
  | { type: "senderClock"; arrivalMs: number; ntpMs: number; ssrc: number; timestamp: number }
  | { type: "path"; arrivalMs: number; atMs: number; ssrc: number; roundTripMs: number };

/** What arrives of one clock, in order of arrival, ms since the recording's start. */
export function farEvents(clock: FarClock): FarEvent[] {
  const {
    seed,
    fromMs,
    lengthMs,
    driftPpm,
    wanderPpm = 0,
    wanderPeriodMs = 2_400_000,
    samples = 960,
  } = clock;
  const random = randomOf(seed);
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const { firstTimestamp = 4_294_900_000, firstSequence = 65_000, ssrc = 7, jitterMs = 3 } = clock;
  const phase = random() * 2 * Math.PI;
  const angular = (2 * Math.PI) / wanderPeriodMs;
  const wander = (ms: number): number =>
    ((wanderPpm * 1e-6) / angular) * (Math.sin(angular * ms + phase) - Math.sin(phase));
  const stepsBy = (ms: number): number =>
    (clock.steps ?? []).reduce((sum, step) => (ms >= step.atMs - fromMs ? sum + step.ms : sum), 0);
  /** When the sender's clock had counted `ms` of its own. */
  const real = (ms: number): number => fromMs + ms * (1 - driftPpm * 1e-6) + wander(ms) + stepsBy(ms);
  const route = (ms: number) => clock.routes.findLast(({ atMs }) => atMs <= ms) ?? clock.routes[0]!;
  const congestion = congested(clock, random);

  const events: FarEvent[] = [];
  let [sequence, losing, inOrderMs, talkUntilMs, talks, nextMs, nextReportMs] = [
    0,
    false,
    0,
    0,
    false,
    0,
    300,
  ];
  const frameMs = samples / 48;
  for (let ms = 0; ms < lengthMs; ms += frameMs) {
    if (ms >= talkUntilMs) {
      talks = clock.dtx !== true || !talks;
      talkUntilMs = ms + (clock.dtx === true ? exponential(talks ? 4_000 : 5_000) : Infinity);
    }
    const sentMs = real(ms + frameMs);
    if (ms >= nextReportMs) {
      nextReportMs = ms + 4_000 + 2_000 * random();
      const { thereMs, backMs } = route(sentMs);
      const back =
        backMs + exponential(jitterMs) + (clock.bursts?.hereAlone === true ? 0 : congestion(sentMs));
      const arrivalMs = sentMs + thereMs + exponential(jitterMs) + congestion(sentMs);
      if (clock.reports) {
        const set = (clock.reports.sets ?? []).reduce(
          (sum, at) => (sentMs >= at.atMs ? sum + at.ms : sum),
          0,
        );
        const ntpMs = 1.7e12 + sentMs * (1 + clock.reports.wallPpm * 1e-6) + set + 6 * (random() - 0.5);
        const timestamp = Math.round(firstTimestamp + (ms + frameMs) * 48) >>> 0;
        events.push({ type: "senderClock", arrivalMs, ntpMs, ssrc, timestamp });
      }
      if (clock.roundTrips !== false) {
        const roundTripMs = arrivalMs - sentMs + back;
        events.push({ type: "path", arrivalMs: arrivalMs + back, atMs: arrivalMs + back, ssrc, roundTripMs });
      }
    }
    if (!talks && ms < nextMs) continue;
    nextMs = ms + 400;
    const number = sequence++;
    const loss = clock.loss ?? 0;
    losing = losing ? random() > 1 / 3 : random() < loss / 3 / (1 - loss);
    // What was captured half before and half after lost time has no truth to it.
    if (losing || stepsBy(ms) !== stepsBy(ms + frameMs)) continue;
    let arrivalMs = sentMs + route(sentMs).thereMs + exponential(jitterMs) + congestion(sentMs);
    if (random() < (clock.reordered ?? 0)) arrivalMs += exponential(40);
    else arrivalMs = inOrderMs = Math.max(inOrderMs, arrivalMs);
    const packet = {
      ...({ type: "packet", arrivalMs, ssrc, samples, capturedMs: real(ms), talks } as const),
      timestamp: Math.round(firstTimestamp + ms * 48) >>> 0,
      sequence: (firstSequence + number) & 0xffff,
    };
    events.push(packet);
    if (random() < (clock.doubled ?? 0)) events.push({ ...packet, arrivalMs: arrivalMs + exponential(20) });
  }
  return events.sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/** What congestion adds at a time: grows, and drains again. */
function congested({ bursts, fromMs, lengthMs }: FarClock, random: () => number): (ms: number) => number {
  if (!bursts) return () => 0;
  const found: { fromMs: number; toMs: number; ms: number }[] = [];
  for (let at = fromMs; at < fromMs + 2 * lengthMs;) {
    at += -bursts.everyMs * Math.log(1 - random());
    const toMs = at + bursts.forMs * random();
    found.push({ fromMs: at, toMs, ms: bursts.ms * random() });
    at = toMs;
  }
  let index = 0;
  return (ms) => {
    while (index + 1 < found.length && found[index]!.toMs < ms) index++;
    const { fromMs, toMs, ms: most } = found[index]!;
    return ms < fromMs || ms > toMs ? 0 : most * Math.sin((Math.PI * (ms - fromMs)) / (toMs - fromMs)) ** 0.5;
  };
}
