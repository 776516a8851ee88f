import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import type { Asker } from "../../fetch/limits.ts";
import { folderOf, stemOf } from "../library/catalogue.ts";
import { fold } from "../library/fold.ts";
import { formatOfName, isPlaylistName, MAX_PLAYLIST_BYTES } from "../playlist/item.ts";
import { formatOfType } from "../playlist/playlist.ts";
import { PlaylistReader, type On, type PlaylistReaderDeps, type PlaylistText } from "../playlist/reader.ts";
import { playlistText } from "../playlist/text.ts";
import type { UploadCache } from "./cache.ts";
import type { Library } from "./library.ts";
import { isPlaylistUpload } from "./playlist-upload.ts";
import { NOBODY, type Ask, type FoundMany, type Resolver, type UploadClaim } from "./resolver.ts";

export interface PlaylistsDeps {
  library: Pick<Library, "exactly" | "playlists" | "playlistFile">;
  uploads: Pick<UploadCache, "file">;
  /** What an address is (Sources.resolve). */
  address: PlaylistReaderDeps["address"];
  clock: Clock;
}

const MAX_SHOWN = 5;

/** Playlists that people put into the room, and those of the media folder. Those of addresses are read by `read`. */
export class Playlists implements Resolver {
  readonly kind = "playlist";
  readonly #deps: PlaylistsDeps;
  readonly #reader: PlaylistReader;

  constructor(deps: PlaylistsDeps) {
    this.#deps = deps;
    this.#reader = new PlaylistReader({
      address: deps.address,
      file: (path, signal, on) =>
        isPlaylistName(path) ? this.#ofFolder(path, signal, on) : deps.library.exactly(path),
      clock: deps.clock,
    });
  }

  async resolve(ask: Ask, signal: AbortSignal, asker: Asker = NOBODY): Promise<FoundMany | null> {
    if (ask.kind === "upload")
      return isPlaylistUpload(ask.upload) ? this.#ofUpload(ask.upload, signal, asker) : null;
    const query = ask.text.trim();
    if (/^https?:/i.test(query) || !isPlaylistName(query)) return null;
    const on = { within: ask.within ?? null, asker };
    return (await this.#ofFolder(query, signal, on)) ?? this.#ofFolder(await this.#named(query), signal, on);
  }

  /** What can be queued of a playlist's text; see `PlaylistReader.read`. */
  read(playlist: PlaylistText, signal: AbortSignal): Promise<FoundMany> {
    return this.#reader.read(playlist, signal);
  }

  open(): Promise<never> {
    return Promise.reject(new BotError("internal", "a playlist is no track"));
  }

  async #ofUpload(
    { mxc, fileName, mimeType, size }: UploadClaim,
    signal: AbortSignal,
    asker: Asker,
  ): Promise<FoundMany> {
    if (size !== null && size > MAX_PLAYLIST_BYTES) throw tooLong();
    const text = await textOf(await this.#deps.uploads.file(mxc, signal));
    const format = formatOfName(fileName) ?? (mimeType === null ? null : formatOfType(mimeType));
    return this.read({ text, name: stemOf(fileName), format, from: null, within: null, asker }, signal);
  }

  /** Null when nothing is at that path. */
  async #ofFolder(path: string, signal: AbortSignal, on: On): Promise<FoundMany | null> {
    const found = await this.#deps.library.playlistFile(path);
    if (!found) return null;
    const from = { folder: folderOf(path), roots: found.roots };
    const text = await textOf(found.file);
    return this.read({ text, name: stemOf(path), format: formatOfName(path), from, ...on }, signal);
  }

  /** The path of the one playlist of that name. @throws BotError `not_found`, `ambiguous` */
  async #named(query: string): Promise<string> {
    const wanted = fold(basename(query));
    const [path, ...others] = (await this.#deps.library.playlists()).filter(
      (path) => fold(basename(path)) === wanted,
    );
    if (path === undefined) {
      throw new BotError("not_found", "no such playlist", {
        say: { key: "playlist.not_found", params: { query } },
      });
    }
    if (others.length === 0) return path;
    const names = [path, ...others].slice(0, MAX_SHOWN).map(oneLine).join("\n");
    throw new BotError("ambiguous", "several playlists have that name", {
      say: { key: "playlist.ambiguous", params: { query, count: others.length + 1, names } },
    });
  }
}

/** At most `MAX_PLAYLIST_BYTES` of a regular file. @throws BotError `media_too_large`, `media_unreadable`, `not_found` */
async function textOf(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw new BotError("not_found", "the playlist is gone", {
        say: { key: "play.file_gone" },
        cause: error,
      });
    },
  );
  try {
    const bytes = new Uint8Array(MAX_PLAYLIST_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      ({ bytesRead: read } = await handle.read(bytes, length));
    if (length > MAX_PLAYLIST_BYTES) throw tooLong();
    const text = playlistText(bytes.subarray(0, length));
    if (text !== null) return text;
    throw new BotError("media_unreadable", "no text", { say: { key: "playlist.damaged" } });
  } finally {
    await handle.close();
  }
}

function tooLong(): BotError {
  return new BotError("media_too_large", "a playlist that is too long", {
    say: { key: "playlist.too_large", params: { limit: MAX_PLAYLIST_BYTES / 1e6 } },
  });
}
