import type { ReceivedAudio, ReceivedOpus, ReceivedPcm } from "../engine/engine.ts";
import { createLevelProbe, isClipped } from "./level-probe.ts";
import type { LevelProbe } from "./level-probe.ts";
import { SOUNDING_DBOV } from "./levels.ts";
import { DIGITAL_SILENCE_DB, rmsDbov } from "./pcm.ts";

export interface VoiceFigures {
  packetAgeMs: number | null;
  soundAgeMs: number | null;
  levelDbfs: number | null;
  dtx: boolean;
  clippedRecently: number | null;
}

const BUCKET_MS = 1000;
const BUCKETS = 10;
/** Opus says "silence goes on" in a packet of its first byte, perhaps with one more (RFC 7587 section 3.1.3). */
const DTX_BYTES = 2;
/** In silence without transmission one packet in 400 ms comes; of sound 17 at the least (60 ms each). */
const FEW_PER_SECOND = 10;
/** Of the whole levels that packets tell (RFC 6464), from 0 to -127 dBov. */
const POWERS = Float64Array.from({ length: 128 }, (_, level) => 10 ** (-level / 10));
/** Of PCM every so many frames are measured. */
const PCM_EVERY = 10;
/** Fewer frames tell nothing about clipping. */
const MIN_FRAMES = 4;

interface Bucket {
  second: number;
  packets: number;
  tiny: number;
  loud: number;
  loudPower: number;
  quiet: number;
  quietPower: number;
  frames: number;
  clipped: number;
}

const empty = (second: number): Bucket => ({
  ...{ second, packets: 0, tiny: 0, loud: 0, loudPower: 0, quiet: 0, quietPower: 0, frames: 0, clipped: 0 },
});

/**
 * How loud one speaker was lately, and whether clipped. The level that the sender says of each packet is taken as it is
 * (RFC 6464); of one who says nothing, or may be clipped, a few packets a second are decoded (level-probe.ts).
 */
export class VoiceMeter {
  readonly #buckets = Array.from({ length: BUCKETS }, () => empty(-1));
  #packetAtMs: number | null = null;
  #soundAtMs: number | null = null;
  #probe: LevelProbe | null = null;
  #pcmFrames = 0;

  take(audio: ReceivedAudio): void {
    const bucket = this.#bucket(audio.arrivalMs);
    bucket.packets++;
    this.#packetAtMs = audio.arrivalMs;
    if (audio.kind === "pcm") this.#takePcm(audio, bucket);
    else this.#takeOpus(audio, bucket);
  }

  read(nowMs: number): VoiceFigures {
    const second = Math.floor(nowMs / BUCKET_MS);
    const sum = empty(second);
    let seconds = 0;
    for (const bucket of this.#buckets) {
      if (bucket.packets === 0 || second - bucket.second >= BUCKETS) continue;
      seconds++;
      sum.packets += bucket.packets;
      sum.tiny += bucket.tiny;
      sum.loud += bucket.loud;
      sum.loudPower += bucket.loudPower;
      sum.quiet += bucket.quiet;
      sum.quietPower += bucket.quietPower;
      sum.frames += bucket.frames;
      sum.clipped += bucket.clipped;
    }
    const few = sum.packets < seconds * FEW_PER_SECOND;
    const age = (atMs: number | null): number | null => (atMs === null ? null : Math.max(0, nowMs - atMs));
    return {
      packetAgeMs: age(this.#packetAtMs),
      soundAgeMs: age(this.#soundAtMs),
      levelDbfs: levelOf(sum),
      dtx: sum.packets > 0 && sum.loud === 0 && (few || sum.tiny === sum.packets),
      clippedRecently: sum.frames < MIN_FRAMES ? null : sum.clipped / sum.frames,
    };
  }

  #takeOpus(audio: ReceivedOpus, bucket: Bucket): void {
    if (audio.payload.length <= DTX_BYTES) {
      bucket.tiny++;
      this.#probe?.gap();
      return;
    }
    this.#probe ??= createLevelProbe();
    const probed = this.#probe.take(audio);
    bucket.frames += probed?.frames ?? 0;
    bucket.clipped += probed?.clipped ?? 0;
    const level = audio.levelDbov ?? probed?.levelDbov ?? null;
    if (level !== null) this.#measured(level, audio.arrivalMs, bucket);
  }

  #takePcm({ samples, arrivalMs }: ReceivedPcm, bucket: Bucket): void {
    if (this.#pcmFrames++ % PCM_EVERY !== 0) return;
    bucket.frames++;
    if (isClipped(samples)) bucket.clipped++;
    this.#measured(rmsDbov(samples), arrivalMs, bucket);
  }

  #measured(levelDbov: number, atMs: number, bucket: Bucket): void {
    const power = POWERS[-levelDbov] ?? 10 ** (levelDbov / 10);
    if (levelDbov >= SOUNDING_DBOV) {
      this.#soundAtMs = atMs;
      bucket.loud++;
      bucket.loudPower += power;
    } else {
      bucket.quiet++;
      bucket.quietPower += power;
    }
  }

  #bucket(nowMs: number): Bucket {
    const second = Math.floor(nowMs / BUCKET_MS);
    const bucket = this.#buckets[second % BUCKETS]!;
    if (bucket.second !== second) Object.assign(bucket, empty(second));
    return bucket;
  }
}

function levelOf({ loud, loudPower, quiet, quietPower }: Bucket): number | null {
  if (loud + quiet === 0) return null;
  const power = loud > 0 ? loudPower / loud : quietPower / quiet;
  return Math.max(DIGITAL_SILENCE_DB, 10 * Math.log10(power));
}
