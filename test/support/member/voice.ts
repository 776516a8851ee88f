/** A member's voice: 20 ms of Opus every 20 ms, silence included, as from a microphone. */
import { Encoder } from "@evan/opus";
import { decodeFile } from "../decode.ts";
import type { SentPacket, Spoken, Utterance } from "./types.ts";

const RATE = 48_000;
const FRAME = 960;
const FRAME_MS = 20;
/** Packets of speech that are remembered: ten minutes. */
const MAX_SENT = 30_000;
/** Behind by more than this, time is given up instead of caught up (frames). */
const CATCH_UP = 15;

/** Mono samples for the frame that begins at sample `at`, or null when it has ended. */
type Speech = { at: number; readonly frame: (at: number) => Float32Array | null };

export class Voice {
  readonly #encoder = new Encoder({ channels: 1, sample_rate: RATE, application: "audio" });
  readonly #send: (payload: Uint8Array, timestamp: number) => void;
  readonly #pcm = new Int16Array(FRAME);
  #timer: NodeJS.Timeout | null = null;
  #startMs = 0;
  #frames = 0;
  #speech: Speech | null = null;
  readonly #sent: SentPacket[] = [];

  /** `send` gets each packet with its RTP timestamp, at its time. */
  constructor(send: (payload: Uint8Array, timestamp: number) => void) {
    this.#send = send;
    this.#encoder.bitrate = 64_000;
    this.#encoder.inband_fec = true;
  }

  get timestamp(): number {
    return (this.#frames * FRAME) >>> 0;
  }

  start(): void {
    if (this.#timer) return;
    this.#startMs = performance.now() - this.#frames * FRAME_MS;
    this.#tick();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async speak(utterance: Utterance): Promise<Spoken> {
    if ("file" in utterance) {
      const { samples } = await decodeFile(utterance.file, { sampleRate: RATE, channels: 1 });
      const gain = 10 ** ((utterance.gainDb ?? 0) / 20);
      this.#speech = {
        at: 0,
        frame: (at) => (at < samples.length ? samples.subarray(at, at + FRAME).map((s) => s * gain) : null),
      };
      return this.#spoken((samples.length * 1000) / RATE);
    }
    const amplitude = Math.SQRT2 * 10 ** ((utterance.levelDb ?? -20) / 20);
    const step = (2 * Math.PI * utterance.tone) / RATE;
    this.#speech = {
      at: 0,
      frame: (at) =>
        Float32Array.from({ length: FRAME }, (_, i) => {
          const attack = Math.min(1, (at + i) / 480);
          return attack * amplitude * Math.sin(step * (at + i));
        }),
    };
    return this.#spoken(null);
  }

  silence(): void {
    this.#speech = null;
  }

  /** The packets of what was said since `sinceMs`, without silence. */
  sent(sinceMs: number): SentPacket[] {
    return this.#sent.filter(({ atMs }) => atMs >= sinceMs);
  }

  #spoken(durationMs: number | null): Spoken {
    const startedAtMs = performance.timeOrigin + this.#startMs + this.#frames * FRAME_MS;
    return { startedAtMs, endsAtMs: durationMs === null ? null : startedAtMs + durationMs };
  }

  #tick(): void {
    const due = Math.floor((performance.now() - this.#startMs) / FRAME_MS) + 1;
    if (due - this.#frames > CATCH_UP) this.#startMs += (due - this.#frames - 1) * FRAME_MS;
    else while (this.#frames < due) this.#frame();
    const nextMs = this.#startMs + this.#frames * FRAME_MS;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, nextMs - performance.now()));
  }

  #frame(): void {
    const samples = this.#speech?.frame(this.#speech.at) ?? null;
    if (samples && this.#speech) this.#speech.at += FRAME;
    else this.#speech = null;
    for (let i = 0; i < FRAME; i++)
      this.#pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round((samples?.[i] ?? 0) * 32_767)));
    const timestamp = this.timestamp;
    this.#frames++;
    const payload = this.#encoder.encode(this.#pcm);
    if (samples && this.#sent.length < MAX_SENT)
      this.#sent.push({ atMs: Date.now(), payload: payload.slice() });
    this.#send(payload, timestamp);
  }
}
