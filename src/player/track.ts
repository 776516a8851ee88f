import { z } from "zod";
import { streamFormatSchema } from "../media/messages.ts";

/** What a track is made of, as it is kept: enough to find its bytes again after a restart. */
export const trackSourceSchema = z.discriminatedUnion("kind", [
  /** `path` is relative to the media folder. */
  z.object({ kind: z.literal("library"), path: z.string().min(1).max(4096) }),
  z.object({ kind: z.literal("upload"), mxc: z.string().min(1).max(512) }),
  /** What is at an address of the web: as it was written, since what it redirects to may change. */
  z.object({ kind: z.literal("url"), url: z.string().min(1).max(2048) }),
  /** What yt-dlp finds on a page: with `item`, from 1, that one of its list. */
  z.object({
    kind: z.literal("ytdlp"),
    url: z.string().min(1).max(2048),
    item: z.number().int().min(1).optional(),
  }),
  /** Radio: what it plays comes while it is heard. */
  z.object({
    kind: z.literal("stream"),
    url: z.string().min(1).max(2048),
    format: streamFormatSchema,
  }),
]);
export type StoredSource = z.infer<typeof trackSourceSchema>;

/** It is on this machine, or comes from the homeserver: nothing of the web is fetched to have it. */
export const isNear = ({ kind }: StoredSource): boolean => kind === "library" || kind === "upload";

/** Nothing is longer, and no stream was ever heard for longer: four months. */
export const LONGEST_MS = 1e10;

export const trackSchema = z.object({
  /** Unique within the bot's life. */
  id: z.string().min(1).max(64),
  title: z.string().max(500),
  artist: z.string().max(500).nullable(),
  /** What no file has is as good as not known. */
  durationMs: z.number().min(0).max(LONGEST_MS).nullable().catch(null),
  /** User id. */
  requester: z.string().max(255),
  source: trackSourceSchema,
  /** Address of a picture of it, a claim of the source. */
  picture: z.string().min(1).max(2048).optional(),
});
export type Track = z.infer<typeof trackSchema>;

/** Whether two tracks are made of the same bytes, by what is kept of them. */
export function sameSource(a: StoredSource, b: StoredSource): boolean {
  const text = (source: StoredSource): string =>
    JSON.stringify(Object.entries(source).sort(([one], [other]) => (one < other ? -1 : 1)));
  return text(a) === text(b);
}
