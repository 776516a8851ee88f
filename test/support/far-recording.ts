// A recording of made-up senders (far-clock.ts) on disk, read again by the time model, and how far it is from the truth.
import { join } from "node:path";
import { AppendFile } from "../../src/media/tracks/append-file.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeHeader,
  encodePacket,
  encodePath,
  encodeSenderClock,
} from "../../src/media/tracks/format.ts";
import type { AlignedPacket } from "../../src/recorder/export/align/types.ts";
import type { FarEvent } from "./far-clock.ts";
import { BOOT, START_MS, START_WALL_MS } from "./recording.ts";

/** A full-band CELT packet of 20 ms that says when it was captured: the truth goes with it, whatever happens to it. */
export function payloadOf({ capturedMs, talks }: { capturedMs: number; talks: boolean }): Uint8Array {
  const payload = new Uint8Array(talks ? 40 : 10);
  payload[0] = 31 << 3;
  payload[1] = talks ? 1 : 0;
  new DataView(payload.buffer).setFloat64(2, capturedMs, true);
  return payload;
}

export const capturedMsOf = (payload: Uint8Array): number =>
  new DataView(payload.buffer, payload.byteOffset).getFloat64(2, true);

/** Writes what arrived of a speaker as the media plane would. Only packets of 20 ms. */
export async function writeFarTrack(
  directory: string,
  file: string,
  { speaker, hasClock = true }: { speaker: string; hasClock?: boolean },
  events: Iterable<FarEvent>,
): Promise<void> {
  const track = await AppendFile.create(join(directory, file), "track");
  const header = {
    recording: "r1",
    speaker,
    what: "voice",
    codec: "opus",
    clockRate: 48_000,
    engine: "test",
  } as const;
  track.append(encodeHeader({ ...header, hasClock }));
  track.append(encodeEpoch({ monotonicMs: START_MS, wallMs: START_WALL_MS, bootId: BOOT }));
  let [count, lastMs] = [0, 0];
  for (const event of events) {
    const arrivalMs = START_MS + event.arrivalMs;
    lastMs = arrivalMs;
    if (event.type === "packet") {
      const levelDbov = event.talks ? -20 : -70;
      track.append(
        encodePacket({ ...event, arrivalMs, levelDbov, marker: false, payload: payloadOf(event) }),
      );
    } else if (event.type === "senderClock") track.append(encodeSenderClock({ ...event, arrivalMs }));
    else track.append(encodePath({ ...event, atMs: arrivalMs }));
    if (++count % 2_000 === 0) await track.flush();
  }
  track.append(encodeEnd(lastMs));
  await track.close();
}

/** How far packets are from the truth, ms: later than it is more than 0. */
export class Errors {
  readonly #errors: number[] = [];

  add(errorMs: number): void {
    this.#errors.push(errorMs);
  }

  packet({ payload, startSample }: Pick<AlignedPacket, "payload" | "startSample">): void {
    this.add(startSample / 48 - capturedMsOf(payload));
  }

  get count(): number {
    return this.#errors.length;
  }

  get maxMs(): number {
    return this.#errors.reduce((max, error) => Math.max(max, Math.abs(error)), 0);
  }

  get p99Ms(): number {
    const sorted = Float64Array.from(this.#errors, Math.abs).sort();
    return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0;
  }
}
