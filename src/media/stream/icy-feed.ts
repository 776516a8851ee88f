import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Fetched } from "../../fetch/guarded-fetch.ts";
import { framesIn } from "../../fetch/sniff.ts";
import { IcyDeinterleaver, icyInterval, icyTitle, TitleGate } from "./icy.ts";
import { unsupported } from "./hls-playlist.ts";
import { OggTitles } from "./ogg-titles.ts";
import type { Feed, Piece } from "./piece.ts";
import type { StreamFetch } from "./stream-fetch.ts";

/** ffmpeg's names for what servers call it, where the sound itself does not say. ffmpeg would need seconds of it. */
const FORMATS: Readonly<Record<string, string>> = {
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/mpeg3": "mp3",
  "audio/x-mpeg": "mp3",
  "audio/aac": "aac",
  "audio/aacp": "aac",
  "audio/x-aac": "aac",
  "audio/ogg": "ogg",
  "application/ogg": "ogg",
  "audio/flac": "flac",
};

/** The server sends sound all the time: so much of nothing means that it is gone. */
const IDLE_MS = 7_000;
/** 2 kbit/s: less is no sound. */
const MIN_BYTES_PER_SECOND = 250;
/** Of one chunk, that are looked at: the last. */
const MOST_TEXTS = 4;

/** One connection to a radio station (Icecast, SHOUTcast over HTTP) or any body that is played as it comes. */
export async function* icyFeed(
  url: string,
  { fetch, clock, signal }: { fetch: StreamFetch; clock: Clock; signal: AbortSignal },
): Feed {
  const bounds = { maxBytes: null, idleMs: IDLE_MS, totalMs: null, minBytesPerSecond: MIN_BYTES_PER_SECOND };
  const answer = await fetch.open(url, { ...bounds, signal, headers: { "icy-metadata": "1" } });
  try {
    if (/^(text|image|font|video)\/|\/(json|xml|javascript)$|mpegurl/.test(answer.contentType ?? ""))
      throw unsupported(`a stream of type ${answer.contentType}`, "stream.not_audio");
    yield { kind: "opened", lengthMs: null };
    yield* pieces(answer, clock);
  } finally {
    answer.close();
  }
  // A station never ends. What is no station may be a file of unknown length, and that has ended now.
  if (isStation(answer))
    throw new BotError("fetch_failed", "the server ended the stream", {
      retryable: true,
      say: { key: "stream.ended" },
    });
}

/** What containers begin with. null: ffmpeg knows these at once. */
const MARKS: readonly (readonly [mark: string, format: string | null])[] = [
  ["OggS", "ogg"],
  ["fLaC", "flac"],
  ["\x1a\x45\xdf\xa3", null],
];
/** Three frames of mp3 at 320 kbit/s, or half a second at 64. */
const ENOUGH_BYTES = 4_096;

/** What the first bytes are, else what the server calls it. Pure. */
export function formatOf(start: Uint8Array, contentType: string | null): string | null {
  const head = Buffer.from(start.subarray(0, 4)).toString("latin1");
  const marked = MARKS.find(([mark]) => head === mark);
  return marked ? marked[1] : (framesIn(start) ?? FORMATS[contentType ?? ""] ?? null);
}

async function* pieces({ body, headers, contentType }: Fetched, clock: Clock): Feed {
  let start: Uint8Array | null = new Uint8Array();
  const begin = function* (bytes: Uint8Array): Generator<Piece> {
    yield { kind: "fresh", format: formatOf(bytes, contentType), skipMs: 0 };
    yield { kind: "bytes", bytes };
  };
  /** Of Ogg, which has its titles in the sound. */
  let ogg: OggTitles | null = null;
  const interval = icyInterval(headers);
  const split = interval === null ? null : new IcyDeinterleaver(interval);
  const gate = new TitleGate();
  const note = (title: string | null | undefined): void => {
    if (title !== undefined) gate.offer(title);
  };
  for await (const chunk of body) {
    const { sound, texts } = split ? split.push(chunk) : { sound: [chunk], texts: [] };
    const title = texts
      .slice(-MOST_TEXTS)
      .map(icyTitle)
      .findLast((each) => each !== undefined);
    note(title);
    const shown = gate.due(clock.now());
    if (shown !== undefined) yield { kind: "title", title: shown };
    const [first, ...more] = sound;
    if (!first) continue;
    // One piece, however often a server cuts in.
    const bytes = more.length > 0 ? Buffer.concat(sound) : first;
    if (start === null) {
      note(ogg?.push(bytes));
      yield { kind: "bytes", bytes };
      continue;
    }
    start = Buffer.concat([start, bytes]);
    if (start.length < ENOUGH_BYTES) continue;
    if (formatOf(start, contentType) === "ogg") ogg = new OggTitles();
    note(ogg?.push(start));
    yield* begin(start);
    start = null;
  }
  if (start !== null && start.length > 0) yield* begin(start);
}

const isStation = ({ headers }: Fetched): boolean =>
  Object.keys(headers).some((name) => name.startsWith("icy-") || name.startsWith("ice-"));
