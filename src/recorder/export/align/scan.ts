// First reading of a recording's track files: what clocks there are, whose, and how they run.
import type { ReadJournal } from "../../journal.ts";
import { TrackReader } from "../../../media/tracks/reader.ts";
import { isStereo, packetSamples } from "../opus.ts";
import { ownerAt, TimeMap, type Owner } from "../sources.ts";
import { fitClock, type ClockFit } from "./fit.ts";
import { GAP_SAMPLES, TrackObserver, type Counts, type ObservedClock } from "./observer.ts";

/** What one owner has of one clock; almost always all of it. */
export interface Share {
  readonly owner: Owner;
  readonly packets: number;
  readonly firstAtMs: number;
  readonly stereo: boolean;
}

export interface ScannedClock {
  readonly index: number;
  readonly ssrc: number;
  readonly firstRtp: number;
  readonly endRtp: number;
  readonly fit: ClockFit;
  /** What the fit counts from. */
  readonly origin: { readonly firstRtp: number; readonly firstDelayMs: number };
  readonly counts: Counts;
  readonly shares: readonly Share[];
}

export interface ScannedFile {
  readonly path: string;
  readonly file: string;
  readonly what: "voice" | "music";
  readonly speaker: string;
  readonly hasClock: boolean;
  readonly clocks: readonly ScannedClock[];
  /** Arrival, ms since the recording's start; of a file without packets Infinity and -Infinity. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly damaged: number;
}

const PROGRESS_EVERY = 4_096;

/**
 * @param onBytes how many bytes have been read since the last call
 * @throws BotError `recording_damaged` without a readable header
 */
export async function scanFile(
  path: string,
  file: string,
  start: ReadJournal["start"],
  owners: ReadonlyMap<string, readonly Owner[]>,
  onBytes: (bytes: number) => void,
): Promise<ScannedFile> {
  const reader = await TrackReader.open(path);
  const { what, speaker, hasClock } = reader.header;
  const own = what === "music";
  const ofKey = own ? undefined : owners.get(speaker);
  const observer = new TrackObserver({ own });
  const shares = new Map<number, Map<Owner, { packets: number; firstAtMs: number; stereo: boolean }>>();
  const unknown = ownerAt(undefined, speaker, 0);
  const time = new TimeMap(start);
  let [damaged, bytes, records, firstMs, lastMs, gaps, gapMs] = [0, 0, 0, Infinity, -Infinity, 0, 0];
  for await (const record of reader.records()) {
    if (++records % PROGRESS_EVERY === 0) {
      onBytes(bytes);
      bytes = 0;
    }
    bytes += 29;
    if (record.type === "epoch") time.epoch(record);
    else if (record.type === "senderClock") observer.report(record);
    else if (record.type === "path") observer.path(record);
    else if (record.type === "gap" && (record.toMs - record.fromMs) * 48 > GAP_SAMPLES) {
      gaps++;
      gapMs += record.toMs - record.fromMs;
    }
    if (record.type !== "packet") continue;
    const { ssrc, timestamp, sequence, payload } = record;
    bytes += payload.length;
    const samples = packetSamples(payload);
    if (samples === null) {
      damaged++;
      continue;
    }
    const atMs = time.sinceStartMs(record.arrivalMs);
    const clock = observer.packet({ ssrc, timestamp, sequence, atMs, samples });
    if (clock === null) continue;
    firstMs = Math.min(firstMs, atMs);
    lastMs = Math.max(lastMs, atMs);
    const owner = ofKey ? ownerAt(ofKey, speaker, atMs) : unknown;
    let ofClock = shares.get(clock);
    if (!ofClock) shares.set(clock, (ofClock = new Map()));
    const share = ofClock.get(owner);
    if (!share) ofClock.set(owner, { packets: 1, firstAtMs: atMs, stereo: isStereo(payload) });
    else {
      share.packets++;
      share.stereo ||= isStereo(payload);
    }
  }
  onBytes(bytes);
  const clocks = observer.clocks.map((clock) => ({
    ...scanned(clock, { own, hasClock }),
    shares: [...(shares.get(clock.run.index) ?? [])].map(([owner, share]) => ({ owner, ...share })),
  }));
  const first = clocks[0];
  if (first) {
    first.counts.gaps += gaps;
    first.counts.gapMs += gapMs;
  }
  return {
    path,
    file,
    what,
    speaker,
    hasClock,
    clocks,
    firstMs,
    lastMs,
    damaged: damaged + observer.damaged,
  };
}

function scanned(
  { run, envelope, firstRtp, endRtp, counts }: ObservedClock,
  { own, hasClock }: { own: boolean; hasClock: boolean },
): Omit<ScannedClock, "shares"> {
  return {
    ...{ index: run.index, ssrc: run.ssrc, firstRtp, endRtp, counts },
    fit: own ? EXACT : fitClock(envelope, { follows: !hasClock }),
    origin: { firstRtp: envelope.firstRtp, firstDelayMs: envelope.firstDelayMs },
  };
}

/** The bot's own clock: its packets are where they were due. */
const EXACT: ClockFit = {
  ...{
    t: [0],
    offsetMs: [0],
    driftPpm: 0,
    roundTripMs: null,
    routeChanges: 0,
    clockSteps: 0,
    uncertaintyMs: 0,
  },
};
