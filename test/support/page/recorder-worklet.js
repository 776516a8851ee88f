// Hands what it hears to the page: 1024 frames at a time, interleaved, with the context's time of their first frame.
const FRAMES = 1024;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.channels = 0;
    this.chunk = new Float32Array(0);
    this.filled = 0;
  }

  process([input]) {
    const channels = input.length;
    if (channels === 0) return true; // Nothing is connected, or the source is not running yet.
    if (channels !== this.channels) {
      this.channels = channels;
      this.begin();
    }
    const frames = input[0].length;
    for (let i = 0; i < frames; i++) {
      for (const channel of input) this.chunk[this.filled++] = channel[i];
    }
    if (this.filled === this.chunk.length) {
      const samples = this.chunk;
      const time = (currentFrame + frames - FRAMES) / sampleRate;
      this.port.postMessage({ channels, time, samples }, [samples.buffer]);
      this.begin();
    }
    return true;
  }

  begin() {
    this.chunk = new Float32Array(FRAMES * this.channels);
    this.filled = 0;
  }
}

registerProcessor("recorder", Recorder);
