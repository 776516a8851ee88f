import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { MediaClient } from "../matrix/media-client.ts";
import { MAX_PLAYLIST_BYTES } from "../player/playlist/item.ts";
import { FileCache, UploadCache, type FetchUpload } from "../player/resolver/cache.ts";
import type { Library } from "../player/resolver/library.ts";
import { Playlists } from "../player/resolver/playlists.ts";
import { Sources } from "../player/resolver/resolver.ts";
import { Uploads } from "../player/resolver/upload.ts";

const MAX_UPLOAD_BYTES = 500e6;
const CACHE_BYTES = 2e9;
const PLAYLIST_CACHE_BYTES = 20e6;

/** All that people can play from, in the order in which it is asked. */
export function roomSources(deps: {
  library: Library;
  media: Pick<MediaClient, "download">;
  dataDir: string;
  clock: Clock;
}): Sources {
  const { library, media, dataDir, clock } = deps;
  const fetchUpload: FetchUpload = (mxc, { path, maxBytes, signal }) =>
    media.download(mxc, path, { maxBytes, signal });
  const cacheOf = (name: string, maxFileBytes: number, maxBytes: number): UploadCache =>
    new UploadCache({
      files: new FileCache({ directory: join(dataDir, "cache", name), maxFileBytes, maxBytes, clock }),
      fetchUpload,
    });
  const uploads = cacheOf("uploads", MAX_UPLOAD_BYTES, CACHE_BYTES);
  const playlists = new Playlists({
    ...{ library, clock },
    uploads: cacheOf("playlists", MAX_PLAYLIST_BYTES, PLAYLIST_CACHE_BYTES),
    address: (ask, signal) => sources.resolve(ask, signal),
  });
  const sources: Sources = new Sources([
    playlists,
    library,
    new Uploads({ cache: uploads, maxFileBytes: MAX_UPLOAD_BYTES }),
  ]);
  return sources;
}
