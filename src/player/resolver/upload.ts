import { basename, extname } from "node:path";
import { z } from "zod";
import { BotError } from "../../base/errors.ts";
import type { TrackSource } from "../../media/plane.ts";
import type { StoredSource } from "../queue.ts";
import { tooLarge, type UploadCache } from "./cache.ts";
import { isAudioName } from "./confine.ts";
import { isPlaylistUpload } from "./playlist-upload.ts";
import type { Ask, Found, Resolver, UploadClaim } from "./resolver.ts";

const contentSchema = z.object({
  msgtype: z.enum(["m.audio", "m.file"]),
  url: z.string().regex(/^mxc:\/\/[A-Za-z0-9.:[\]_-]{1,255}\/[A-Za-z0-9_=-]{1,255}$/),
  body: z.string().max(65_536).optional(),
  filename: z.string().max(65_536).optional(),
  info: z
    .object({
      size: z.number().int().nonnegative().optional().catch(undefined),
      mimetype: z.string().max(255).optional().catch(undefined),
      duration: z.number().nonnegative().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/**
 * The audio file, or the playlist, of an m.room.message's content, else null (text, pictures, encrypted files, damaged
 * content). A file counts as audio by its message type, its type, or its name's ending.
 */
export function decodeUpload(content: unknown): UploadClaim | null {
  const decoded = contentSchema.safeParse(content);
  if (!decoded.success) return null;
  const { msgtype, url, body, filename, info } = decoded.data;
  const fileName = basename((filename ?? body ?? "").replaceAll("\\", "/")).slice(0, 255);
  const mimeType = info?.mimetype ?? null;
  const claims = [msgtype === "m.audio", mimeType?.startsWith("audio/"), isAudioName(fileName)];
  if (!claims.includes(true) && !isPlaylistUpload({ fileName, mimeType })) return null;
  return { mxc: url, fileName, size: info?.size ?? null, mimeType, durationMs: info?.duration ?? null };
}

/** The text that somebody wrote to their upload (MSC2530): a body that is not the file's name. */
export function captionOf(content: unknown): string | null {
  const decoded = contentSchema.safeParse(content);
  if (!decoded.success) return null;
  const { body, filename } = decoded.data;
  return filename !== undefined && body !== undefined && body !== filename ? body : null;
}

/** Audio files that people put into the room. */
export class Uploads implements Resolver {
  readonly kind = "upload";
  readonly #cache: UploadCache;
  readonly #maxFileBytes: number;

  constructor({ cache, maxFileBytes }: { cache: UploadCache; maxFileBytes: number }) {
    this.#cache = cache;
    this.#maxFileBytes = maxFileBytes;
  }

  async resolve(ask: Ask, signal: AbortSignal): Promise<Found | null> {
    if (ask.kind !== "upload") return null;
    const { mxc, fileName, size, mimeType, durationMs } = ask.upload;
    if (size !== null && size > this.#maxFileBytes) throw tooLarge(size, this.#maxFileBytes);
    if (size === 0) {
      throw new BotError("media_unreadable", "an empty upload", {
        say: { key: "play.empty_file", params: { title: fileName } },
      });
    }
    if (mimeType !== null && /^(text|image|font)\//.test(mimeType)) {
      throw new BotError("media_unsupported", `an upload of type ${mimeType}`, {
        say: { key: "play.not_audio", params: { title: fileName } },
      });
    }
    await this.#cache.file(mxc, signal);
    return { source: { kind: "upload", mxc }, title: titleOf(fileName), durationMs };
  }

  async open(source: StoredSource, signal: AbortSignal): Promise<TrackSource> {
    if (source.kind !== "upload") throw new BotError("internal", "not an upload");
    return { path: await this.#cache.file(source.mxc, signal) };
  }
}

function titleOf(fileName: string): string {
  const name = isAudioName(fileName) ? basename(fileName, extname(fileName)) : fileName;
  return name.trim() === "" ? "audio" : name;
}
