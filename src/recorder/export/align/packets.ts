// Second reading: the packets of one output, sorted, each at its place.
import { TrackReader } from "../../../media/tracks/reader.ts";
import { packetSamples } from "../opus.ts";
import { ownerAt, TimeMap, type Owner } from "../sources.ts";
import { MapReader } from "./clock-map.ts";
import { ClockSorter } from "./clocks.ts";
import { outputKey, type RecordingPlan } from "./plan.ts";
import type { AlignedPacket, ClockSegment, Misplaced, TrackPlan } from "./types.ts";

/** Packets are sorted over this much of arrival. */
const WINDOW_MS = 1_000;
const MAX_WAITING = 1_000;
/** Clocks agree to about this; a packet that begins earlier has its place taken. */
const OVERLAP = 48;
/** No clock is off by more than this. */
const LONGEST = 1.1;
const MOST_CONCEALED = 120 * 48;

interface Waiting {
  clock: object;
  atMs: number;
  rtp: number;
  sequence: number;
  samples: number;
  startSample: number;
  endSample: number;
  levelDbov: number | null;
  payload: Uint8Array;
}

/**
 * A track's packets in the order of the timeline, each at its exact place. Reads the track's files once; holds a second of packets.
 * @param misplaced is added to for packets that find no place
 */
export async function* alignedPackets(
  { timeline, start, owners }: Pick<RecordingPlan, "timeline" | "start" | "owners">,
  track: TrackPlan,
  misplaced: Misplaced = { late: 0, outside: 0 },
): AsyncGenerator<AlignedPacket, void, undefined> {
  const queue = new Queue(misplaced);
  for (const [path, segments] of byFile(track.segments)) {
    const reader = await TrackReader.open(path);
    const own = track.what === "music";
    const ofKey = own ? undefined : owners.get(reader.header.speaker);
    const wanted = outputKey(track.what, track.owner);
    const isOurs = ownership(
      ofKey,
      reader.header.speaker,
      (owner) => outputKey(track.what, owner) === wanted,
    );
    const sorter = new ClockSorter({ own });
    const maps = new Map(segments.map(({ index, map }) => [index, new MapReader(map)]));
    const time = new TimeMap(start);
    for await (const record of reader.records()) {
      if (record.type === "epoch") time.epoch(record);
      if (record.type !== "packet") continue;
      const samples = packetSamples(record.payload);
      if (samples === null) continue;
      const atMs = time.sinceStartMs(record.arrivalMs);
      const sorted = sorter.sort({ ssrc: record.ssrc, timestamp: record.timestamp, atMs });
      const map = sorted && maps.get(sorted.run.index);
      if (!sorted || !map || !isOurs(atMs)) continue;
      const { rtp, run } = sorted;
      const startSample = map.at(rtp);
      const end = map.at(rtp + samples);
      // Not the time that the clock lost behind it.
      const endSample = end - startSample > LONGEST * samples ? startSample + samples : end;
      // Where paused time was cut out, time stands still.
      if (startSample < 0 || startSample >= timeline.totalSamples || endSample - startSample < samples / 2) {
        misplaced.outside++;
        continue;
      }
      const { sequence, levelDbov, payload } = record;
      queue.add({
        ...{ clock: run, atMs, rtp, sequence, samples, startSample, endSample, levelDbov },
        payload: payload.slice(),
      });
      for (;;) {
        const next = queue.next(atMs);
        if (!next) break;
        yield next;
      }
    }
  }
  for (;;) {
    const next = queue.next(Infinity);
    if (!next) break;
    yield next;
  }
}

function byFile(segments: readonly ClockSegment[]): Map<string, ClockSegment[]> {
  const files = new Map<string, ClockSegment[]>();
  for (const segment of segments) {
    const of = files.get(segment.path);
    if (of) of.push(segment);
    else files.set(segment.path, [segment]);
  }
  return files;
}

/** Whether what arrives at a time is the wanted owner's. */
function ownership(
  owners: readonly Owner[] | undefined,
  key: string,
  wanted: (owner: Owner) => boolean,
): (atMs: number) => boolean {
  if (!owners || owners.length <= 1) return () => true;
  return (atMs) => wanted(ownerAt(owners, key, atMs));
}

/** Packets that wait for those which came later and belong before them. */
class Queue {
  readonly #misplaced: Misplaced;
  readonly #waiting: Waiting[] = [];
  #last: Waiting | null = null;

  constructor(misplaced: Misplaced) {
    this.#misplaced = misplaced;
  }

  add(packet: Waiting): void {
    const waiting = this.#waiting;
    let index = waiting.length;
    while (index > 0 && waiting[index - 1]!.startSample > packet.startSample) index--;
    const before = waiting[index - 1];
    // Twice the same: counted by the first reading.
    if (before?.clock === packet.clock && before.rtp === packet.rtp) return;
    waiting.splice(index, 0, packet);
  }

  /** The next one that has waited long enough at `nowMs`; null when there is none. */
  next(nowMs: number): AlignedPacket | null {
    for (;;) {
      const first = this.#waiting[0];
      if (!first || (nowMs - first.atMs < WINDOW_MS && this.#waiting.length < MAX_WAITING)) return null;
      this.#waiting.shift();
      const placed = this.#place(first);
      if (placed) return placed;
    }
  }

  #place(packet: Waiting): AlignedPacket | null {
    const last = this.#last;
    const { payload, samples, endSample, levelDbov, rtp } = packet;
    if (last && packet.startSample < last.endSample - OVERLAP) {
      this.#misplaced.late++;
      return null;
    }
    const startSample = last ? Math.max(packet.startSample, last.endSample) : packet.startSample;
    const fresh = last?.clock !== packet.clock;
    const skipped = fresh || !last ? 0 : ((packet.sequence - last.sequence - 1) << 16) >> 16;
    const lostBefore = Math.max(0, skipped);
    const missing = last && !fresh ? rtp - (last.rtp + last.samples) : Infinity;
    this.#last = packet;
    return {
      ...{ payload, samples, startSample, endSample, lostBefore, fresh, levelDbov },
      contiguous: missing === 0 && startSample - (last?.endSample ?? 0) < 1,
      concealable:
        lostBefore > 0 &&
        missing > 0 &&
        missing <= MOST_CONCEALED &&
        missing <= lostBefore * Math.max(samples, last?.samples ?? 0),
    };
  }
}
