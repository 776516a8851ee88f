import { SpeechWatch } from "../../../src/media/audio/speech-watch.ts";

const PACKET_MS = 20;

/** Levels of packets, piece by piece. */
class Envelope {
  readonly levels: number[] = [];
  #state = 7;

  /** From -1 to 1, the same each time. */
  #random(): number {
    this.#state = (this.#state * 16_807) % 2_147_483_647;
    return this.#state / 1_073_741_823 - 1;
  }

  /** Around a level. */
  level(ms: number, dbov: number, spread = 1): this {
    for (let at = 0; at < ms; at += PACKET_MS) this.levels.push(dbov + spread * this.#random());
    return this;
  }

  /** Syllables of 80 to 240 ms whose ends fall off, in words with gaps of up to 400 ms. */
  speech(ms: number, dbov: number): this {
    const end = this.levels.length + ms / PACKET_MS;
    while (this.levels.length < end) {
      for (let syllable = 0; syllable < 3; syllable++) {
        this.level(160 + 80 * this.#random(), dbov, 5).level(40, dbov - 14, 4);
      }
      this.level(220 + 180 * this.#random(), -62, 4);
    }
    this.levels.length = end;
    return this;
  }
}

/** When somebody was taken to speak: from and to, in ms. */
function spans(envelope: Envelope, watch = new SpeechWatch(), speaker = "a"): [number, number][] {
  const found: [number, number][] = [];
  let since: number | null = null;
  for (const [i, level] of envelope.levels.entries()) {
    const nowMs = i * PACKET_MS;
    watch.take(speaker, Math.max(-127, Math.min(0, level)), (i * 960) >>> 0, nowMs);
    const speaking = watch.speaking(nowMs);
    if (speaking && since === null) since = nowMs;
    if (!speaking && since !== null) found.push([since, nowMs]);
    if (!speaking) since = null;
  }
  if (since !== null) found.push([since, envelope.levels.length * PACKET_MS]);
  return found;
}

const silence = (): Envelope => new Envelope().level(1_000, -65, 5);

test("speech is one span from its first syllables to after its last, without a hole between words", () => {
  for (const dbov of [-14, -24, -34]) {
    const found = spans(silence().speech(12_000, dbov).level(3_000, -65, 5));
    expect(found).toHaveLength(1);
    const [[from, to]] = found as [[number, number]];
    expect(from).toBeGreaterThanOrEqual(1_100);
    expect(from).toBeLessThan(1_400);
    expect(to).toBeGreaterThan(13_000);
    expect(to).toBeLessThan(14_000);
  }
});

test("it goes on for at least half a second after a word, and ends within a second", () => {
  const [[, to]] = spans(silence().level(400, -22, 4).level(3_000, -65, 3)) as [[number, number]];
  expect(to).toBeGreaterThan(1_400 + 500);
  expect(to).toBeLessThan(1_400 + 1_000);
});

test("a breath is none, alone or beside a voice; nor is a click, a knock or typing", () => {
  expect(spans(silence().level(500, -48, 2).level(1_000, -65))).toEqual([]);
  const breathing = silence().speech(4_000, -20).level(2_000, -65);
  const before = spans(breathing);
  // This one is louder than some people speak, but not than this one does.
  const after = silence().speech(4_000, -20).level(1_500, -65).level(500, -42, 1).level(1_000, -65);
  expect(spans(after)).toEqual(before);
  const clicks = silence();
  for (let i = 0; i < 20; i++) clicks.level(20, -4, 3).level(20, -20, 5).level(160, -62);
  expect(spans(clicks)).toEqual([]);
  const knocks = silence();
  for (let i = 0; i < 10; i++) knocks.level(80, -10, 3).level(400, -62);
  expect(spans(knocks)).toEqual([]);
});

test("a fan is none, however loud; who speaks over it is heard", () => {
  expect(spans(new Envelope().level(20_000, -36, 3))).toEqual([]);
  const found = spans(new Envelope().level(5_000, -38, 2).speech(3_000, -16));
  expect(found).toHaveLength(1);
  // Switched on in mid-call it is taken for a voice until it is known.
  const [[from, to]] = spans(silence().level(20_000, -36, 2)) as [[number, number]];
  expect(to - from).toBeLessThan(12_000);
});

test("two who speak by turns are one span", () => {
  const watch = new SpeechWatch();
  const [a, b] = [
    silence().speech(2_000, -20).level(2_000, -65),
    silence().level(2_000, -65).speech(2_000, -26),
  ];
  let changes = 0;
  let was = false;
  for (let i = 0; i < a.levels.length; i++) {
    watch.take("a", a.levels[i]!, i * 960, i * PACKET_MS);
    watch.take("b", b.levels[i]!, i * 960, i * PACKET_MS);
    if (watch.speaking(i * PACKET_MS) !== was) changes++;
    was = watch.speaking(i * PACKET_MS);
  }
  expect(changes).toBe(1);
});

test("silence that is not sent counts as silence, and what comes late changes nothing", () => {
  const watch = new SpeechWatch();
  let timestamp = 2 ** 32 - 9_600;
  let nowMs = 0;
  const send = (level: number): void => {
    watch.take("a", level, timestamp >>> 0, nowMs);
    [timestamp, nowMs] = [timestamp + 960, nowMs + PACKET_MS];
  };
  for (let i = 0; i < 20; i++) send(-65);
  for (let knock = 0; knock < 10; knock++) {
    for (let i = 0; i < 4; i++) send(-15);
    [timestamp, nowMs] = [timestamp + 48 * 300, nowMs + 300];
    expect(watch.speaking(nowMs)).toBe(false);
  }
  for (let i = 0; i < 8; i++) {
    send(-18);
    watch.take("a", -18, (timestamp - 9_600) >>> 0, nowMs);
  }
  expect(watch.speaking(nowMs)).toBe(true);
  watch.forget("a");
  expect(watch.speaking(nowMs + 2_000)).toBe(false);
});
