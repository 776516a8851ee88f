import { BotError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { StreamFormat } from "../../../../src/media/messages.ts";
import type { Decoder, StreamDecoderOptions } from "../../../../src/media/stream/stream-decoder.ts";
import { StreamSource, type StreamNote } from "../../../../src/media/stream/stream-source.ts";
import { FakeClock, settle } from "../../../fakes/clock.ts";
import { FakeAnswer, FakeStreamFetch } from "../../../fakes/stream-fetch.ts";

/** What is given comes out as it is, at once, unless it is held. */
class FakeDecoder implements Decoder {
  readonly options: StreamDecoderOptions;
  state: "open" | "finished" | "closed" = "open";
  isPaused = false;
  #taken: () => void = () => undefined;

  constructor(options: StreamDecoderOptions) {
    this.options = options;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#taken();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.isPaused) await new Promise<void>((resolve) => (this.#taken = resolve));
    if (this.state === "open" && !isDeaf) this.options.onData(Buffer.from(bytes));
  }

  finish(): Promise<void> {
    if (this.state === "open") this.state = "finished";
    return Promise.resolve();
  }

  close(): void {
    this.state = "closed";
    this.#taken();
  }
}

let clock: FakeClock;
let fetch: FakeStreamFetch;
let decoders: FakeDecoder[];
/** Decoders make no sound of anything. */
let isDeaf: boolean;
let notes: StreamNote[];
let heard: string;
let ended: { ok: boolean; error: BotError | null } | null;
let stalled: boolean;
let source: StreamSource | null;

const brokenOff = new BotError("fetch_failed", "reset", { retryable: true });
const gone = new BotError("fetch_failed", "404", { retryable: false });
/** What comes first is looked at; it is silence here. */
function begun(headers: Record<string, string>, bytes = 4_096): FakeAnswer {
  const answer = new FakeAnswer(headers);
  answer.send(new Uint8Array(bytes));
  return answer;
}
const station = (): FakeAnswer => begun({ "content-type": "audio/mpeg", "icy-name": "Radio" });

function play(answer: FakeStreamFetch["answer"], kind: StreamFormat = "icy", positionMs = 0): StreamSource {
  fetch = new FakeStreamFetch(answer);
  source = new StreamSource({
    ...{ stream: { url: "https://radio.example/live", kind }, track: "t", positionMs },
    ...{ program: "", filters: [], clock, log: silentLog, fetch },
    decode(options) {
      const decoder = new FakeDecoder(options);
      decoders.push(decoder);
      return decoder;
    },
    onNote: (note) => notes.push(note),
    onData: (chunk) => (heard += chunk.toString().replaceAll("\0", "")),
    onEnd: ({ ok, stalled: hasStalled = false }, error) => {
      ended = { ok, error };
      stalled = hasStalled;
    },
  });
  return source;
}

beforeEach(() => {
  clock = new FakeClock();
  decoders = [];
  isDeaf = false;
  notes = [];
  heard = "";
  ended = null;
  stalled = false;
});
afterEach(() => {
  source?.close();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("a radio station is heard, and its titles are told, without the text in the sound", async () => {
  const answer = begun({ "content-type": "audio/mpeg", "icy-metaint": "4" }, 5_120);
  play(() => answer);
  answer.send(bytes("abcd\u0001StreamTitle='A';efgh"));
  await settle();
  expect(heard).toBe("abcdefgh");
  expect(notes).toEqual([{ kind: "title", title: "A" }]);
  expect(decoders[0]?.options.format).toBe("mp3");
});

test("a station that breaks off is connected again, faster at first, each time with a decoder of its own", async () => {
  const answers = [station(), brokenOff, brokenOff, station()];
  play((_, attempt) => answers[attempt - 1] ?? brokenOff);
  const [first, , , second] = answers;
  if (!(first instanceof FakeAnswer) || !(second instanceof FakeAnswer)) throw new Error("no answers");
  first.send(bytes("one "));
  await settle();
  first.end(brokenOff);
  await settle();
  expect(decoders.map(({ state }) => state)).toEqual(["finished"]);
  await clock.advance(499);
  expect(fetch.asked).toHaveLength(1);
  await clock.advance(1);
  expect(fetch.asked).toHaveLength(2);
  await clock.advance(1_000);
  expect(fetch.asked).toHaveLength(3);
  await clock.advance(2_000);
  second.send(bytes("two"));
  await settle();
  expect(heard).toBe("one two");
  expect(decoders).toHaveLength(2);
  expect(notes).toEqual([]);
});

test("the end of a station's body is no end", async () => {
  const answers = [station(), station()];
  play((_, attempt) => answers[attempt - 1] ?? brokenOff);
  answers[0]?.send(bytes("a"));
  answers[0]?.end();
  await clock.advance(600);
  expect(fetch.asked).toHaveLength(2);
  expect(ended).toBeNull();
});

test("what is no station, and ends, has ended, however short it is", async () => {
  const answer = new FakeAnswer({ "content-type": "audio/ogg" });
  play(() => answer);
  answer.send(bytes("a"));
  answer.end();
  await settle();
  expect(ended).toEqual({ ok: true, error: null });
  expect(fetch.asked).toHaveLength(1);
});

test("an outage that lasts is told once, and given up after two minutes with its reason", async () => {
  const answer = station();
  play((_, attempt) => (attempt === 1 ? answer : gone));
  answer.send(bytes("a"));
  await settle();
  answer.end(brokenOff);
  await clock.advance(7_900);
  expect(notes).toEqual([]);
  await clock.advance(200);
  expect(notes).toEqual([{ kind: "interrupted", error: gone }]);
  await clock.advance(95_000);
  expect(ended).toBeNull();
  await clock.advance(40_000);
  expect(notes).toHaveLength(1);
  expect(ended).toEqual({ ok: false, error: gone });
});

test("a server that lets everybody in and throws them out again is given up too", async () => {
  play(() => {
    const answer = station();
    answer.send(bytes("a"));
    answer.end();
    return answer;
  });
  await clock.advance(300_000);
  expect(ended?.error?.say.key).toBe("stream.ended");
  expect(fetch.asked.length).toBeLessThan(20);
});

test("a station that was never there is given up at once, or after three attempts where it may come", async () => {
  play(() => gone);
  await settle();
  expect(ended).toEqual({ ok: false, error: gone });
  ended = null;
  play(() => brokenOff);
  await clock.advance(2_000);
  expect(ended).toEqual({ ok: false, error: brokenOff });
  expect(fetch.asked).toHaveLength(3);
});

test("where one may not go is not asked for again, whatever was heard before", async () => {
  const refused = new BotError("fetch_refused", "own network");
  const answer = station();
  play((_, attempt) => (attempt === 1 ? answer : refused));
  answer.send(bytes("a"));
  await settle();
  answer.end(brokenOff);
  await clock.advance(1_000);
  expect(ended).toEqual({ ok: false, error: refused });
});

test("what is no sound is not given to a decoder", async () => {
  play(() => new FakeAnswer({ "content-type": "text/html" }));
  await settle();
  expect(ended?.error?.say.key).toBe("stream.not_audio");
  expect(decoders).toEqual([]);
});

test("bytes without any sound in them are given up before anybody takes it for stuck", async () => {
  const answer = station();
  isDeaf = true;
  play(() => answer);
  for (let i = 0; i < 10; i++) {
    answer.send(bytes("x"));
    await clock.advance(1_000);
  }
  expect(ended?.error?.say.key).toBe("stream.no_audio");
});

test("a decoder that can make nothing of it ends a stream that was never heard", async () => {
  const answer = station();
  isDeaf = true;
  play(() => answer);
  await settle();
  decoders[0]?.options.onFailed({ ok: false, reason: "Invalid data", announcedMs: null, bytes: 0 });
  await settle();
  expect(ended?.error).toMatchObject({ code: "media_unreadable", message: "Invalid data" });
  expect(answer.isClosed).toBe(true);
});

test("nothing is read of the network before the decoder has taken what came", async () => {
  const answer = station();
  const playing = play(() => answer);
  await settle();
  playing.pause();
  for (let i = 0; i < 10; i++) answer.send(bytes("x"));
  await settle();
  expect(answer.waiting).toBe(9);
  playing.resume();
  await settle();
  expect(heard).toBe("x".repeat(10));
});

test("while nobody listens there is no connection; afterwards it is live again", async () => {
  const answers = [station(), station()];
  const playing = play((_, attempt) => answers[attempt - 1] ?? brokenOff);
  answers[0]?.send(bytes("old"));
  await settle();
  expect(playing.release()).toBe(true);
  await clock.advance(3_600_000);
  expect([answers[0]?.isClosed, decoders[0]?.state, clock.pending]).toEqual([true, "closed", 0]);
  expect([notes, ended, fetch.asked.length]).toEqual([[], null, 1]);
  playing.reopen();
  await settle();
  answers[1]?.send(bytes(" new"));
  await settle();
  expect(heard).toBe("old new");
});

test("opened ahead it keeps no connection for long either, and goes on by itself", async () => {
  const answers = [station(), station()];
  const playing = play((_, attempt) => answers[attempt - 1] ?? brokenOff);
  await settle();
  playing.pause();
  await clock.advance(4_900);
  expect(answers[0]?.isClosed).toBe(false);
  await clock.advance(200);
  expect([answers[0]?.isClosed, clock.pending]).toEqual([true, 0]);
  playing.resume();
  await settle();
  answers[1]?.send(bytes("new"));
  await settle();
  expect(heard).toBe("new");
});

test("closed in the middle of anything, it says nothing more", async () => {
  const answer = station();
  const playing = play(() => answer);
  await settle();
  answer.send(bytes("a"));
  playing.close();
  playing.close();
  await clock.advance(100_000);
  expect([heard, ended, notes, answer.isClosed]).toEqual(["", null, [], true]);
});

// --- HLS

const SEGMENTS = new Map<string, string>();
function hls(playlists: readonly string[]): FakeStreamFetch["answer"] {
  let loads = 0;
  return (url) => {
    const name = url.split("/").at(-1) ?? "";
    const text = name === "live" ? playlists[Math.min(loads++, playlists.length - 1)] : SEGMENTS.get(name);
    if (text === undefined) return gone;
    const answer = new FakeAnswer();
    answer.send(bytes(text));
    answer.end();
    return answer;
  };
}
beforeEach(() => {
  SEGMENTS.clear();
  for (const name of "abcdefgh") SEGMENTS.set(`${name}.ts`, name);
});

function playlist(first: number, names: string, ...more: readonly string[]): string {
  const head = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", `#EXT-X-MEDIA-SEQUENCE:${first}`];
  return [...head, ...Array.from(names, (name) => `#EXTINF:4,\n${name}.ts`), ...more].join("\n");
}

test("HLS that is complete: all segments in order, those that are missing left out, then its end", async () => {
  SEGMENTS.delete("b.ts");
  play(hls([playlist(0, "abcd", "#EXT-X-ENDLIST")]), "hls");
  await clock.advance(2_000);
  expect(heard).toBe("acd");
  expect(ended).toEqual({ ok: true, error: null });
  expect(fetch.asked.filter((url) => url.endsWith("b.ts"))).toHaveLength(2);
  expect(notes).toEqual([{ kind: "length", lengthMs: 16_000 }]);
});

test("HLS that is live: asked for again by its target duration, each segment once, no place to wind to", async () => {
  const playing = play(hls([playlist(0, "abcd"), playlist(1, "bcde"), playlist(3, "defg")]), "hls", 60_000);
  await settle();
  expect(heard).toBe("bcd");
  await clock.advance(3_900);
  expect(fetch.asked.filter((url) => url.endsWith("live"))).toHaveLength(1);
  await clock.advance(200);
  expect(heard).toBe("bcde");
  await clock.advance(4_000);
  expect(heard).toBe("bcdefg");
  expect(playing.release()).toBe(true);
});

test("HLS that is complete waits where it is while nobody listens", async () => {
  const playing = play(hls([playlist(0, "ab", "#EXT-X-ENDLIST")]), "hls");
  expect(playing.release()).toBe(true);
  playing.reopen();
  await settle();
  expect(playing.release()).toBe(false);
});

test("HLS to which nothing is added any more is connected anew, and given up when that does not help", async () => {
  play(hls([playlist(0, "abcd")]), "hls");
  await clock.advance(200_000);
  expect(ended?.error?.say.key).toBe("stream.still");
});

/** Segments from this one on never come to an end. */
function hung(answer: FakeStreamFetch["answer"], from: string): FakeStreamFetch["answer"] {
  return (url, attempt) =>
    (url.split("/").at(-1) ?? "") >= from && url.endsWith(".ts") ? new FakeAnswer() : answer(url, attempt);
}

test("HLS that is complete and of which nothing more comes has stalled after ten seconds, as a file", async () => {
  const vod = playlist(0, "abcd", "#EXT-X-ENDLIST");
  play(hung(hls([vod]), "b.ts"), "hls");
  await clock.advance(9_000);
  expect([heard, ended, stalled]).toEqual(["a", null, false]);
  await clock.advance(1_100);
  expect([ended?.ok, stalled, notes]).toEqual([false, true, [{ kind: "length", lengthMs: 16_000 }]]);
  // Begun anew where it was, and nothing comes at all.
  play(hung(hls([vod]), "a.ts"), "hls", 4_000);
  stalled = false;
  await clock.advance(8_100);
  expect([stalled, ended?.error?.say]).toEqual([
    false,
    { key: "fetch.slow", params: { host: "radio.example" } },
  ]);
});

test("HLS that is complete has not stalled while nobody listened", async () => {
  const playing = play(hls([playlist(0, "abcd", "#EXT-X-ENDLIST")]), "hls");
  playing.pause();
  await clock.advance(1_000);
  decoders.at(-1)?.options.onData(Buffer.from("x"));
  await clock.advance(63_900);
  playing.resume();
  decoders.at(-1)!.isPaused = true;
  await clock.advance(9_000);
  expect(ended).toBeNull();
});

test("HLS that is live, and whose segments drip for ever, is given up after two minutes", async () => {
  play(hung(hls([playlist(0, "abcd"), playlist(1, "bcde")]), "e.ts"), "hls");
  await clock.advance(119_000);
  expect([heard, ended, notes.length]).toEqual(["bcd", null, 1]);
  await clock.advance(5_000);
  expect([stalled, ended?.error?.say.key]).toEqual([false, "fetch.slow"]);
});

test("HLS whose segments are all gone ends with the reason", async () => {
  SEGMENTS.clear();
  play(hls([playlist(0, "abcdefgh", "#EXT-X-ENDLIST")]), "hls");
  await clock.advance(60_000);
  expect(ended?.error).toBe(gone);
});

test("HLS that breaks in the middle gets another decoder there", async () => {
  const text = playlist(0, "ab", "#EXT-X-DISCONTINUITY", "#EXTINF:4,", "c.ts", "#EXT-X-ENDLIST");
  play(hls([text]), "hls");
  await settle();
  expect([heard, decoders.length]).toEqual(["abc", 2]);
});

test("HLS is fetched two segments ahead of what is heard, and no further", async () => {
  const playing = play(hls([playlist(0, "abcdefgh", "#EXT-X-ENDLIST")]), "hls");
  playing.pause();
  await clock.advance(1_000);
  const names = (): string[] => fetch.asked.map((url) => url.split("/").at(-1)?.[0] ?? "").slice(1);
  expect([heard, names().join("")]).toEqual(["", "abc"]);
  playing.resume();
  await settle();
  expect(heard).toBe("abcdefgh");
});

test("an HLS segment that comes slowly does not hold up what is there before it, and ends with its listener", async () => {
  const slow = new FakeAnswer();
  const answers = hls([playlist(0, "abcd", "#EXT-X-ENDLIST")]);
  const playing = play((url, attempt) => (url.endsWith("c.ts") ? slow : answers(url, attempt)), "hls");
  await settle();
  expect([heard, slow.isClosed]).toEqual(["ab", false]);
  playing.close();
  await settle();
  expect(slow.isClosed).toBe(true);
});

test("what breaks ahead is told in its turn, and nothing is fetched twice or left out for it", async () => {
  const refusal = new BotError("fetch_refused", "own network");
  const answers = hls([playlist(0, "abcd", "#EXT-X-ENDLIST")]);
  const playing = play((url, attempt) => (url.endsWith("c.ts") ? refusal : answers(url, attempt)), "hls");
  playing.pause();
  await clock.advance(1_000);
  expect([heard, ended]).toEqual(["", null]);
  playing.resume();
  await settle();
  expect([heard, ended?.error]).toEqual(["ab", refusal]);
});

test("a segment that was fetched ahead and never heard is fetched again when the decoder breaks", async () => {
  const playing = play(hls([playlist(0, "abcd", "#EXT-X-ENDLIST")]), "hls");
  playing.pause();
  await settle();
  const [decoder] = decoders.slice(-1);
  // As if some had sounded: then it is tried again.
  decoder?.options.onData(Buffer.from("x"));
  decoder?.options.onFailed({ ok: false, reason: "broken", announcedMs: null, bytes: 1 });
  playing.resume();
  await clock.advance(2_000);
  expect(heard).toBe("xabcd");
});

test("HLS that is complete, and of which nothing is there, or nothing sounds, ends with the reason", async () => {
  SEGMENTS.clear();
  play(hls([playlist(0, "ab", "#EXT-X-ENDLIST")]), "hls");
  await clock.advance(5_000);
  expect(ended?.error).toMatchObject({ message: gone.message, retryable: false });
  for (const name of "ab") SEGMENTS.set(`${name}.ts`, "<html>");
  isDeaf = true;
  play(hls([playlist(0, "ab", "#EXT-X-ENDLIST")]), "hls");
  await settle();
  expect(ended?.error?.say.key).toBe("stream.no_audio");
  // Behind its end there is nothing, and that is no failure.
  play(hls([playlist(0, "ab", "#EXT-X-ENDLIST")]), "hls", 60_000);
  await settle();
  expect(ended).toEqual({ ok: true, error: null });
});
