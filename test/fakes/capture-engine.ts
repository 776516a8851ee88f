import type {
  ConnectionEvents,
  ConnectionOptions,
  Engine,
  EngineConnection,
  EngineOutput,
  OutgoingFrame,
} from "../../src/media/engine/engine.ts";

/** One channel's output as it left the mixer: interleaved stereo at 48 kHz. */
export class CapturedOutput implements EngineOutput {
  readonly frames: { timestamp: number; marker: boolean; pcm: Int16Array }[] = [];
  /** Called with the number of each frame. */
  onFrame: (index: number) => void = () => undefined;
  closed = false;

  write(frame: OutgoingFrame): void {
    if (!frame.pcm) throw new Error("this engine takes PCM");
    this.frames.push({ timestamp: frame.timestamp, marker: frame.marker, pcm: frame.pcm.slice() });
    this.onFrame(this.frames.length - 1);
  }

  setBitrate(): void {}

  close(): void {
    this.closed = true;
  }

  /** All frames as they were sent, one behind the other: silences in between are not there. Full scale ±1. */
  samples(): Float32Array {
    const all = new Float32Array(this.frames.length * 1920);
    this.frames.forEach(({ pcm }, i) =>
      all.set(
        Float32Array.from(pcm, (value) => value / 32_768),
        i * 1920,
      ),
    );
    return all;
  }

  /** For each frame its time in ms after the first, by the timestamps. */
  timesMs(): number[] {
    const first = this.frames[0]?.timestamp ?? 0;
    return this.frames.map(({ timestamp }) => ((timestamp - first + 2 ** 32) % 2 ** 32) / 48);
  }
}

/** An engine for PCM that connects to nobody and keeps what it was to send: one output per channel, in order of opening. */
export class CaptureEngine implements Engine {
  readonly name = "capture";
  readonly audio = "pcm";
  readonly hasClock = false;
  readonly outputs: CapturedOutput[] = [];
  /** What each connection would tell, in order of being made: for tests that say what others send. */
  readonly listeners: ConnectionEvents[] = [];
  closed = false;

  createOutput(): CapturedOutput {
    const output = new CapturedOutput();
    this.outputs.push(output);
    return output;
  }

  createConnection(_options: ConnectionOptions, events: ConnectionEvents): EngineConnection {
    this.listeners.push(events);
    return {
      createOffer: () => Promise.resolve("v=0"),
      createAnswer: () => Promise.resolve("v=0"),
      acceptAnswer: () => Promise.resolve(),
      restart: () => null,
      answerSent() {},
      addCandidate() {},
      stats: () => ({
        packetsSent: 0,
        packetsReceived: 0,
        packetsMissed: 0,
        ...{ packetsSentRecently: 0, missedRecently: null, arrivalJitterMs: null },
        ...{ lossFraction: null, lossRecently: null, lossInAll: null, reportedAtMs: null },
        ...{ relayed: null, way: null, candidatesUsed: 0, candidatesRefused: 0 },
        jitterMs: null,
        roundTripMs: null,
        lastHeardAtMs: null,
      }),
      close() {},
    };
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
