import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { Fetched } from "../../fetch/guarded-fetch.ts";
import { IcyDeinterleaver, icyInterval, icyTitle, TitleGate } from "./icy.ts";
import { unsupported } from "./hls-playlist.ts";
import type { Feed } from "./piece.ts";
import type { StreamFetch } from "./stream-fetch.ts";

/** ffmpeg's names for what servers call it; anything else ffmpeg finds out by itself, which takes some sound. */
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
const IDLE_MS = 8_000;
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
    yield { kind: "opened", isLive: true };
    yield { kind: "fresh", format: FORMATS[answer.contentType ?? ""] ?? null, skipMs: 0 };
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

async function* pieces({ body, headers }: Fetched, clock: Clock): Feed {
  const interval = icyInterval(headers);
  const split = interval === null ? null : new IcyDeinterleaver(interval);
  const gate = new TitleGate();
  for await (const chunk of body) {
    const { sound, texts } = split ? split.push(chunk) : { sound: [chunk], texts: [] };
    const title = texts
      .slice(-MOST_TEXTS)
      .map(icyTitle)
      .findLast((each) => each !== undefined);
    if (title !== undefined) gate.offer(title);
    const shown = gate.due(clock.now());
    if (shown !== undefined) yield { kind: "title", title: shown };
    const [first, ...more] = sound;
    // One piece, however often a server cuts in.
    if (first) yield { kind: "bytes", bytes: more.length > 0 ? Buffer.concat(sound) : first };
  }
}

const isStation = ({ headers }: Fetched): boolean =>
  Object.keys(headers).some((name) => name.startsWith("icy-") || name.startsWith("ice-"));
