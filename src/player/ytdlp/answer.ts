import { z } from "zod";
import { BotError } from "../../base/errors.ts";

/** What yt-dlp says of one thing that can be played. */
export interface Answer {
  /** Where it is; of one that has no address of its own the page, and which of that page. */
  url: string;
  item?: number;
  title: string;
  artist: string | null;
  durationMs: number | null;
  isLive: boolean;
  /** Address of a picture of it, a claim of the site. */
  picture?: string;
}

/** What is at an address: one, or several. */
export type Answered =
  { kind: "one"; answer: Answer } | { kind: "many"; title: string; answers: Answer[]; left: number };

const MAX_URL = 2048;
/** What does not fit is as if it were not there: one odd field must not cost the rest. */
const text = z.string().max(100_000).nullish().catch(null);
const address = z.string().min(1).max(MAX_URL).nullish().catch(null);
const seconds = z.number().nonnegative().max(1e7).nullish().catch(null);

const entrySchema = z.object({
  _type: text,
  id: text,
  title: text,
  track: text,
  artist: text,
  creator: text,
  url: address,
  webpage_url: address,
  original_url: address,
  duration: seconds,
  is_live: z.boolean().nullish().catch(null),
  live_status: text,
  thumbnail: address,
  /** The best last; what is not looked at yet has these alone. */
  thumbnails: z
    .array(z.object({ url: address }).catch({ url: null }))
    .max(1_000)
    .nullish()
    .catch(null),
});
type Entry = z.infer<typeof entrySchema>;

const answerSchema = entrySchema.extend({
  // Entries that cannot be told (private, deleted) are null.
  entries: z.array(z.unknown()).max(100_000).nullish(),
  /** Of the whole list, of which `entries` are the first. */
  playlist_count: z.number().int().nonnegative().nullish().catch(null),
});

/**
 * The JSON of `--dump-single-json`, decoded.
 * @param asked the address that it is about
 * @throws BotError `media_unreadable` when it is none
 */
export function decodeAnswer(output: string, asked: string, limit: number): Answered {
  const decoded = answerSchema.safeParse(parsed(output));
  if (!decoded.success) {
    throw new BotError("media_unreadable", "yt-dlp's answer is not what it should be", {
      say: { key: "ytdlp.no_answer" },
    });
  }
  const { entries, playlist_count: all, ...whole } = decoded.data;
  const page = isWeb(whole.webpage_url) ? whole.webpage_url : asked;
  if (!entries) return { kind: "one", answer: answerOf(whole, page) };
  const answers: Answer[] = [];
  let count = 0;
  for (const [index, unknown] of entries.entries()) {
    if (typeof unknown !== "object" || unknown === null) continue;
    // Only how many there are is told of those beyond.
    const entry = count < limit ? entrySchema.safeParse(unknown) : null;
    if (entry?.success === false) continue;
    count++;
    if (entry) answers.push(entryOf(entry.data, page, index + 1));
  }
  return {
    kind: "many",
    title: titleOf(whole, page),
    answers,
    left: Math.max(0, Math.max(count, all ?? 0) - limit),
  };
}

function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return null;
  }
}

/** A reference is looked at when its turn comes; what was looked at already is found again as the n-th of its page. */
function entryOf(entry: Entry, page: string, item: number): Answer {
  const isReference = entry._type === "url" || entry._type === "url_transparent";
  const own = isReference ? (entry.url ?? entry.webpage_url) : null;
  if (isWeb(own)) return answerOf(entry, own);
  return { ...answerOf(entry, page), item };
}

const isWeb = (url: string | null | undefined): url is string =>
  typeof url === "string" && /^https?:\/\//i.test(url);

function answerOf(entry: Entry, url: string): Answer {
  const { duration, artist, creator, track } = entry;
  const performer = artist ?? creator ?? null;
  return {
    url,
    title: performer !== null && track ? track : titleOf(entry, url),
    artist: performer,
    // What lasts no time at all says nothing of how long it is.
    durationMs: duration ? Math.round(duration * 1000) : null,
    isLive: entry.is_live === true || entry.live_status === "is_live" || entry.live_status === "is_upcoming",
    ...pictureOf(entry),
  };
}

function pictureOf({ thumbnail, thumbnails }: Entry): { picture?: string } {
  const picture = thumbnail ?? thumbnails?.findLast(({ url }) => url)?.url;
  return picture && /^https?:\/\//i.test(picture) ? { picture } : {};
}

const titleOf = ({ title, id }: Entry, url: string): string =>
  [title, id].find((name) => name?.trim()) ?? url;
