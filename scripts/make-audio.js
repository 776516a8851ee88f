// Makes the clips that ship in audio/. Only needed to make them anew: `node scripts/make-audio.js`
// (needs ffmpeg and espeak-ng). The music is composed here from a seeded generator, so it is free to use and comes
// out the same each time; the sentence is spoken by espeak-ng.
//
// The tunes never repeat a bar and are plucked (noise through a resonator), so that an excerpt of a few seconds
// correlates with one place of one file only. That is what lets the tests and the demo say "it is that very track".
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const RATE = 48_000;
const OUT = join(dirname(fileURLToPath(import.meta.url)), "..", "audio");

/** Mulberry32: a small seeded generator, 0 ≤ value < 1. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const hertz = (midi) => 440 * 2 ** ((midi - 69) / 12);

/** Adds a plucked string (Karplus-Strong with a fractional delay). */
function pluck(mix, random, { at, midi, seconds, level, pan, bright }) {
  const period = RATE / hertz(midi);
  const whole = Math.floor(period - 0.5);
  const fraction = period - 0.5 - whole;
  const line = Float32Array.from({ length: whole + 1 }, () => random() * 2 - 1);
  // A duller excitation for a softer pluck.
  for (let pass = 0; pass < (bright ? 1 : 4); pass++)
    for (let i = 1; i < line.length; i++) line[i] = (line[i] + line[i - 1]) / 2;
  const loss = 0.001 ** (1 / (seconds * 1.6 * hertz(midi)));
  let previous = 0;
  let position = 0;
  const start = Math.round(at * RATE);
  const length = Math.round(seconds * RATE);
  const right = Math.sin((pan * Math.PI) / 2);
  const left = Math.cos((pan * Math.PI) / 2);
  for (let i = 0; i < length && start + i < mix.left.length; i++) {
    const next = position + 1 < line.length ? position + 1 : 0;
    const sample = line[position] * (1 - fraction) + line[next] * fraction;
    line[position] = loss * 0.5 * (sample + previous);
    previous = sample;
    position = next;
    const fade = Math.min(1, (length - i) / (0.02 * RATE));
    mix.left[start + i] += sample * level * left * fade;
    mix.right[start + i] += sample * level * right * fade;
  }
}

/** Adds a soft tone with slow attack. */
function pad(mix, { at, midi, seconds, level, pan }) {
  const start = Math.round(at * RATE);
  const length = Math.round(seconds * RATE);
  const step = (2 * Math.PI * hertz(midi)) / RATE;
  for (let i = 0; i < length && start + i < mix.left.length; i++) {
    const envelope = Math.min(1, i / (0.3 * RATE), (length - i) / (0.4 * RATE));
    const sample = (Math.sin(step * i) + 0.3 * Math.sin(2.003 * step * i)) * envelope * level;
    mix.left[start + i] += sample * (1 - pan);
    mix.right[start + i] += sample * pan;
  }
}

function drum(mix, { at, level }) {
  const start = Math.round(at * RATE);
  const length = Math.round(0.22 * RATE);
  let phase = 0;
  for (let i = 0; i < length && start + i < mix.left.length; i++) {
    phase += (2 * Math.PI * (45 + 90 * Math.exp(-i / (0.02 * RATE)))) / RATE;
    const sample = Math.sin(phase) * Math.exp(-i / (0.07 * RATE)) * level * Math.min(1, i / 48);
    mix.left[start + i] += sample;
    mix.right[start + i] += sample;
  }
}

/** Adds a short burst of band-limited noise. */
function brush(mix, random, { at, level, pan }) {
  const start = Math.round(at * RATE);
  const length = Math.round(0.09 * RATE);
  let low = 0;
  let lower = 0;
  for (let i = 0; i < length && start + i < mix.left.length; i++) {
    low += 0.45 * (random() * 2 - 1 - low);
    lower += 0.12 * (low - lower);
    const sample = (low - lower) * Math.exp(-i / (0.025 * RATE)) * level * Math.min(1, i / 48);
    mix.left[start + i] += sample * (1 - pan);
    mix.right[start + i] += sample * pan;
  }
}

/** A wandering tune over `chords` (each a list of MIDI notes), one bar of four beats each. */
function compose({ seed, seconds, bpm, scale, chords, drums }) {
  const random = generator(seed);
  const mix = { left: new Float32Array(seconds * RATE), right: new Float32Array(seconds * RATE) };
  const beat = 60 / bpm;
  let step = Math.floor(scale.length / 2);
  for (let bar = 0; bar * 4 * beat < seconds - 4 * beat; bar++) {
    const at = bar * 4 * beat;
    const chord = chords[Math.floor(random() * chords.length)];
    for (const [index, midi] of chord.entries())
      pad(mix, { at, midi, seconds: 4 * beat, level: 0.045, pan: 0.3 + 0.2 * index });
    pluck(mix, random, { at, midi: chord[0] - 12, seconds: 3 * beat, level: 0.3, pan: 0.5, bright: false });
    for (let eighth = 0; eighth < 8; eighth++) {
      const when = at + eighth * 0.5 * beat;
      // Half of the eighths carry the tune, walking up and down the scale; a few are left out.
      if (random() < 0.72) {
        step = Math.max(0, Math.min(scale.length - 1, step + Math.floor(random() * 5) - 2));
        pluck(mix, random, {
          at: when,
          midi: scale[step],
          seconds: beat * (0.8 + random() * 1.4),
          level: 0.28 + 0.12 * random(),
          pan: 0.3,
          bright: true,
        });
      }
      if (random() < 0.5)
        pluck(mix, random, {
          at: when,
          midi: chord[Math.floor(random() * chord.length)] + 12,
          seconds: beat,
          level: 0.16,
          pan: 0.75,
          bright: true,
        });
      if (drums && eighth % 4 === 0) drum(mix, { at: when, level: 0.4 });
      if (drums && random() < 0.6) brush(mix, random, { at: when, level: 0.35, pan: 0.35 + 0.3 * random() });
    }
  }
  return mix;
}

/** Scales to -16 dBFS RMS (peaks at most -1 dBFS by a soft curve) and returns a 16-bit stereo WAV. */
function wav(mix) {
  const frames = mix.left.length;
  let energy = 0;
  for (let i = 0; i < frames; i++) energy += mix.left[i] ** 2 + mix.right[i] ** 2;
  const gain = 10 ** (-16 / 20) / Math.sqrt(energy / (2 * frames));
  const shape = (sample) => 0.89 * Math.tanh((sample * gain) / 0.89);
  const bytes = Buffer.alloc(44 + frames * 4);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + frames * 4, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 4, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(frames * 4, 40);
  for (let i = 0; i < frames; i++) {
    bytes.writeInt16LE(Math.round(shape(mix.left[i]) * 32_767), 44 + i * 4);
    bytes.writeInt16LE(Math.round(shape(mix.right[i]) * 32_767), 46 + i * 4);
  }
  return bytes;
}

function encode(input, output, tags, codec) {
  const metadata = Object.entries({ ...tags, artist: "matrix-voice-bot", copyright: "Apache-2.0" }).flatMap(
    ([key, value]) => ["-metadata", `${key}=${value}`],
  );
  execFileSync("ffmpeg", [
    ...["-nostdin", "-v", "error", "-y", "-i", input, "-map_metadata", "-1", "-fflags", "+bitexact"],
    ...["-flags:a", "+bitexact", ...metadata, ...codec, join(OUT, output)],
  ]);
  console.log(`audio/${output}`);
}

const work = mkdtempSync(join(tmpdir(), "make-audio-"));
try {
  mkdirSync(OUT, { recursive: true });
  const tune = join(work, "tune.wav");

  writeFileSync(
    tune,
    wav(
      compose({
        seed: 20_240_117,
        seconds: 80,
        bpm: 104,
        scale: [62, 64, 67, 69, 71, 74, 76, 79, 81, 83],
        chords: [
          [50, 57, 62],
          [55, 59, 62],
          [52, 59, 64],
          [57, 61, 64],
          [47, 54, 62],
        ],
        drums: true,
      }),
    ),
  );
  encode(tune, "first-light.mp3", { title: "First Light" }, [
    "-ar",
    "44100",
    "-c:a",
    "libmp3lame",
    "-b:a",
    "128k",
  ]);

  writeFileSync(
    tune,
    wav(
      compose({
        seed: 77_003,
        seconds: 14,
        bpm: 76,
        scale: [60, 63, 65, 67, 70, 72, 75, 77],
        chords: [
          [48, 55, 60],
          [53, 56, 60],
          [51, 58, 63],
        ],
        drums: false,
      }),
    ),
  );
  encode(tune, "small-hours.flac", { title: "Small Hours" }, ["-c:a", "flac", "-compression_level", "12"]);

  const spoken = join(work, "spoken.wav");
  execFileSync("espeak-ng", [
    ...["-v", "en-gb", "-s", "150", "-p", "42", "-w", spoken],
    "Hello, this is a member of the room speaking. One, two, three: the recording should have every word of it.",
  ]);
  const speech = "silenceremove=start_periods=1:start_threshold=-60dB,loudnorm=I=-20:TP=-2,aresample=48000";
  encode(spoken, "speech.ogg", { title: "A test sentence" }, [
    ...["-af", speech, "-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", "64k"],
  ]);
} finally {
  rmSync(work, { recursive: true, force: true });
}
