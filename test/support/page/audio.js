// What the member says and hears. Its voice comes from WebAudio instead of a microphone, so that each page has its own.

/** Heard audio that is kept per member, in ms. */
const KEPT_MS = 180_000;

export class Voice {
  #context;
  #destination;
  #current = null;

  constructor(context) {
    this.#context = context;
    this.#destination = context.createMediaStreamDestination();
    this.#destination.channelCount = 1; // A microphone, as the web client asks for it, is mono.
    // A microphone is never without a signal: packets go on in silence, which an unconnected node would not send.
    const hush = new ConstantSourceNode(context, { offset: 0 });
    hush.connect(this.#destination);
    hush.start();
  }

  get stream() {
    return this.#destination.stream;
  }

  /**
   * Says `{tone: hertz, levelDb}` (until told otherwise; dBFS RMS, default -20) or `{clip: path, gainDb, loop}`.
   * Returns the wall-clock times of its beginning and end (null: never), in ms.
   */
  async speak(signal) {
    const context = this.#context;
    let source;
    let gain;
    let durationMs = null;
    if ("tone" in signal) {
      source = new OscillatorNode(context, { frequency: signal.tone });
      gain = Math.SQRT2 * 10 ** ((signal.levelDb ?? -20) / 20);
    } else {
      const response = await fetch(signal.clip);
      if (!response.ok) throw new Error(`${signal.clip}: ${response.status}`);
      const buffer = await context.decodeAudioData(await response.arrayBuffer());
      source = new AudioBufferSourceNode(context, { buffer, loop: signal.loop ?? false });
      gain = 10 ** ((signal.gainDb ?? 0) / 20);
      if (!signal.loop) durationMs = buffer.duration * 1000;
    }
    this.silence();
    const level = new GainNode(context, { gain: 0 });
    const at = context.currentTime + 0.02;
    level.gain.setValueAtTime(0, at);
    level.gain.linearRampToValueAtTime(gain, at + 0.01);
    source.connect(level).connect(this.#destination);
    source.start(at);
    this.#current = { source, level };
    const startedAtMs = Date.now() + 20;
    return { startedAtMs, endsAtMs: durationMs === null ? null : startedAtMs + durationMs };
  }

  /** Fades out within 10 ms; packets of silence go on, as from a quiet microphone. */
  silence() {
    if (!this.#current) return;
    const { source, level } = this.#current;
    this.#current = null;
    const now = this.#context.currentTime;
    level.gain.cancelScheduledValues(now);
    level.gain.setTargetAtTime(0, now, 0.003);
    source.stop(now + 0.03);
  }
}

/** What one member was heard to say, whatever number of connections it came over. */
export class Hearing {
  #context;
  #chunks = [];
  #element = null;
  #source = null;
  #node = null;
  #offsetMs = Infinity;

  constructor(context) {
    this.#context = context;
  }

  /** Listens to a stream, instead of the one before. */
  listen(stream) {
    this.stop();
    // Without an element that plays it, Chromium lets no remote audio flow into WebAudio.
    this.#element = new Audio();
    this.#element.muted = true;
    this.#element.srcObject = stream;
    void this.#element.play().catch(() => {});
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(this.#context, "recorder", { numberOfOutputs: 0 });
    this.#node.port.addEventListener("message", ({ data }) => this.#keep(data));
    this.#node.port.start();
    this.#source.connect(this.#node);
  }

  stop() {
    this.#source?.disconnect();
    this.#node?.port.close();
    if (this.#element) this.#element.srcObject = null;
    this.#element = this.#source = this.#node = null;
  }

  #keep({ channels, time, samples }) {
    const frames = samples.length / channels;
    // The context's clock on the wall's: the shortest delay seen is nearest to the truth.
    const end = (time + frames / this.#context.sampleRate) * 1000;
    this.#offsetMs = Math.min(this.#offsetMs, Date.now() - end);
    this.#chunks.push({ timeMs: time * 1000, frames, channels, samples });
    const oldest = time * 1000 - KEPT_MS;
    while (this.#chunks[0].timeMs < oldest) this.#chunks.shift();
  }

  /**
   * What was heard since a wall-clock time, `channels` 1 (mean of both) or 2; times without a connection are silence.
   * `startMs` is the wall-clock time of the first sample.
   */
  pcm(sinceMs, channels) {
    const rate = this.#context.sampleRate;
    const chunks = this.#chunks.filter(
      ({ timeMs, frames }) => timeMs + (frames * 1000) / rate + this.#offsetMs > sinceMs,
    );
    if (chunks.length === 0) return { startMs: sinceMs, sampleRate: rate, samples: new Float32Array(0) };
    const first = chunks[0];
    const place = ({ timeMs }) => Math.round(((timeMs - first.timeMs) * rate) / 1000);
    const last = chunks[chunks.length - 1];
    const samples = new Float32Array((place(last) + last.frames) * channels);
    for (const chunk of chunks) {
      const start = place(chunk) * channels;
      for (let i = 0; i < chunk.frames; i++) {
        const left = chunk.samples[i * chunk.channels];
        const right = chunk.channels > 1 ? chunk.samples[i * chunk.channels + 1] : left;
        if (channels === 1) samples[start + i] = (left + right) / 2;
        else {
          samples[start + 2 * i] = left;
          samples[start + 2 * i + 1] = right;
        }
      }
    }
    const skip = Math.max(0, Math.round(((sinceMs - first.timeMs - this.#offsetMs) * rate) / 1000));
    return {
      startMs: first.timeMs + this.#offsetMs + (skip * 1000) / rate,
      sampleRate: rate,
      samples: samples.subarray(skip * channels),
    };
  }
}
