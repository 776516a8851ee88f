import { open, rm, stat } from "node:fs/promises";
import { ReadableStream } from "node:stream/web";
import { z } from "zod";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError, toBotError } from "../base/errors.ts";
import { backoffMs, HomeserverError, retryDelayMs, type Homeserver } from "./homeserver.ts";
import { chunksOf, errorOf, onDisk, readJson, tooLarge, watched } from "./media-transfer.ts";

export interface MediaClientOptions {
  homeserver: Homeserver;
  accessToken: string;
  clock: Clock;
  /** Aborts everything that runs. */
  signal: AbortSignal;
}

export interface UploadOptions {
  mimeType: string;
  fileName: string;
  signal?: AbortSignal;
  /** How long a homeserver that is not there, or has us wait, is waited for; default: a few attempts. */
  patienceMs?: number;
}

export interface DownloadOptions {
  maxBytes: number;
  signal?: AbortSignal;
}

const ATTEMPTS = 4;
const LIMIT_CACHE_MS = 600_000;

const configSchema = z.object({ "m.upload.size": z.number().positive().optional() });
const uploadedSchema = z.object({ content_uri: z.string().startsWith("mxc://") });

/** Files from and to the homeserver's media repository, streamed: a file is never in memory as a whole. */
export class MediaClient {
  readonly #options: MediaClientOptions;
  #limit: { bytes: number | null; readMs: number } | null = null;

  constructor(options: MediaClientOptions) {
    this.#options = options;
  }

  /** The largest file in bytes that the homeserver takes; null when it does not say. Cached for ten minutes. */
  async uploadLimit(signal?: AbortSignal): Promise<number | null> {
    const nowMs = this.#options.clock.now();
    if (this.#limit !== null && nowMs - this.#limit.readMs < LIMIT_CACHE_MS) return this.#limit.bytes;
    const bytes = await this.#readLimit(signal ?? this.#options.signal);
    this.#limit = { bytes, readMs: nowMs };
    return bytes;
  }

  /**
   * Uploads a file of the disk. Repeated on errors that may pass.
   * @returns its mxc URI
   * @throws BotError `media_too_large` (before anything is sent, where the limit is known), `forbidden`, `homeserver`,
   * `not_found` (no such file), `disk_full` (of ours), `timeout`, `cancelled`
   */
  async uploadFile(path: string, options: UploadOptions): Promise<string> {
    const signal = this.#signal(options.signal);
    const { size } = await onDisk(stat(path));
    const limit = await this.uploadLimit(signal);
    if (limit !== null && size > limit) throw tooLarge("media.upload_too_large", size, limit);
    const { clock } = this.#options;
    const untilMs = clock.now() + (options.patienceMs ?? 0);
    for (let attempt = 1, failures = 0; ; attempt++) {
      try {
        return await this.#upload(path, size, options, signal);
      } catch (error) {
        if (error instanceof HomeserverError && error.status === 413) {
          throw tooLarge("media.upload_too_large", size, limit ?? size);
        }
        if (signal.aborted || !toBotError(error).retryable) throw error;
        // What fails while the homeserver answers may be the file's fault; its absence is not.
        const patient = clock.now() < untilMs && (isLimit(error) || !(await this.#answers(signal)));
        if (!patient && ++failures === ATTEMPTS) throw error;
        const delayMs = retryDelayMs(error, backoffMs(attempt, 1000, 20_000, Math.random));
        await sleep(clock, delayMs, signal);
      }
    }
  }

  /** Whether the homeserver still has what was uploaded; true when it does not say. @throws BotError `cancelled` */
  async has(mxc: string, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    const media = parseMxc(mxc);
    if (media === null) return false;
    const signal = this.#signal(options.signal);
    const name = `${encodeURIComponent(media.server)}/${encodeURIComponent(media.id)}`;
    try {
      return await watched(signal, null, async (bound) => {
        const { baseUrl } = this.#options.homeserver;
        const response = await fetch(`${baseUrl}/_matrix/client/v1/media/download/${name}`, {
          headers: { authorization: `Bearer ${this.#options.accessToken}` },
          redirect: "manual",
          signal: bound,
        });
        await response.body?.cancel();
        return response.status !== 404 && response.status !== 410;
      });
    } catch (error) {
      if (signal.aborted) throw error;
      return true;
    }
  }

  /** Whether there is a homeserver at all at the moment. */
  async #answers(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.homeserver.request("GET", "/_matrix/client/versions", {
        signal,
        timeoutMs: 10_000,
      });
      return true;
    } catch (error) {
      return error instanceof HomeserverError && !error.retryable;
    }
  }

  /**
   * Downloads into a new file at `toPath` (mode 600), which is removed again if that fails.
   * @param mxc a claim of somebody in a room; checked here
   * @returns bytes written and the claimed type
   * @throws BotError `not_found`, `media_too_large`, `disk_full`, `forbidden`, `homeserver`, `timeout`, `cancelled`
   */
  async download(
    mxc: string,
    toPath: string,
    options: DownloadOptions,
  ): Promise<{ bytes: number; contentType: string | null }> {
    const media = parseMxc(mxc);
    if (media === null) {
      throw new BotError("not_found", "not an mxc URI", { say: { key: "media.not_there" } });
    }
    const signal = this.#signal(options.signal);
    const name = `${encodeURIComponent(media.server)}/${encodeURIComponent(media.id)}`;
    try {
      return await this.#download(`/_matrix/client/v1/media/download/${name}`, toPath, options, signal);
    } catch (error) {
      // Homeservers before version 1.11 of the specification.
      if (!(error instanceof HomeserverError) || error.errcode !== "M_UNRECOGNIZED") throw error;
      return await this.#download(`/_matrix/media/v3/download/${name}`, toPath, options, signal);
    }
  }

  async #readLimit(signal: AbortSignal): Promise<number | null> {
    for (const path of ["/_matrix/client/v1/media/config", "/_matrix/media/v3/config"]) {
      try {
        const body = await this.#options.homeserver.request("GET", path, { signal });
        return configSchema.parse(body)["m.upload.size"] ?? null;
      } catch (error) {
        if (signal.aborted) throw error;
        // Without a known limit the upload itself will tell.
      }
    }
    return null;
  }

  async #upload(path: string, size: number, options: UploadOptions, signal: AbortSignal): Promise<string> {
    const query = new URLSearchParams({ filename: options.fileName }).toString();
    const url = `${this.#options.homeserver.baseUrl}/_matrix/media/v3/upload?${query}`;
    const handle = await onDisk(open(path));
    // Not more than was there at the start: a file that grows must not break the announced length.
    const file = handle.createReadStream({ end: Math.max(size - 1, 0) });
    try {
      return await watched(signal, size, async (bound, alive) => {
        const init: RequestInit & { duplex: "half" } = {
          method: "POST",
          headers: {
            authorization: `Bearer ${this.#options.accessToken}`,
            "content-type": options.mimeType,
            "content-length": String(size),
          },
          body: ReadableStream.from(chunksOf(size === 0 ? [] : file, alive)) as BodyInit,
          duplex: "half",
          redirect: "manual",
          signal: bound,
        };
        const response = await fetch(url, init);
        const body: unknown = await readJson(response);
        if (!response.ok) throw errorOf(response, body);
        return uploadedSchema.parse(body).content_uri;
      });
    } finally {
      file.destroy();
    }
  }

  async #download(
    path: string,
    toPath: string,
    options: DownloadOptions,
    signal: AbortSignal,
  ): Promise<{ bytes: number; contentType: string | null }> {
    return watched(signal, null, async (bound, alive) => {
      const response = await fetch(this.#options.homeserver.baseUrl + path, {
        headers: { authorization: `Bearer ${this.#options.accessToken}` },
        // A redirect would take the token, or us, to a place that nobody configured.
        redirect: "manual",
        signal: bound,
      });
      if (!response.ok) throw errorOf(response, await readJson(response));
      const announced = Number(response.headers.get("content-length") ?? 0);
      if (announced > options.maxBytes) {
        await response.body?.cancel();
        throw tooLarge("media.download_too_large", announced, options.maxBytes);
      }
      const bytes = await writeBody(response, toPath, options.maxBytes, alive);
      return { bytes, contentType: response.headers.get("content-type") };
    });
  }

  /** The caller's signal; the client's own without one. Callers' signals are aborted by their owners at shutdown. */
  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal ?? this.#options.signal;
  }
}

/** The parts of an mxc URI; null for anything that is not exactly one. */
export function parseMxc(mxc: string): { server: string; id: string } | null {
  const match = /^mxc:\/\/([A-Za-z0-9.\-:[\]]{1,255})\/([A-Za-z0-9_-]{1,255})$/.exec(mxc);
  return match?.[1] !== undefined && match[2] !== undefined ? { server: match[1], id: match[2] } : null;
}

const isLimit = (error: unknown): boolean => error instanceof HomeserverError && error.status === 429;

async function writeBody(
  response: Response,
  toPath: string,
  maxBytes: number,
  alive: () => void,
): Promise<number> {
  const file = await onDisk(open(toPath, "wx", 0o600));
  let bytes = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      alive();
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge("media.download_too_large", bytes, maxBytes);
      await onDisk(file.writeFile(chunk));
    }
    await file.close();
    return bytes;
  } catch (error) {
    await file.close();
    await rm(toPath, { force: true });
    throw error;
  }
}
