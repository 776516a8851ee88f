import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { FetchLimits } from "../fetch/limits.ts";
import type { MediaClient } from "../matrix/media-client.ts";
import type { MediaPlane } from "../media/plane.ts";
import { MAX_PLAYLIST_BYTES } from "../player/playlist/item.ts";
import { FileCache, UploadCache, type FetchUpload } from "../player/resolver/cache.ts";
import type { Library } from "../player/resolver/library.ts";
import { Playlists } from "../player/resolver/playlists.ts";
import { Stations } from "../player/resolver/stations.ts";
import { Sources } from "../player/resolver/resolver.ts";
import { Uploads } from "../player/resolver/upload.ts";
import { UrlFiles } from "../player/resolver/url-files.ts";
import { Urls } from "../player/resolver/urls.ts";
import { Ytdlp } from "../player/resolver/ytdlp.ts";
import { YtdlpFinder } from "../player/ytdlp/program.ts";

const PLAYLIST_CACHE_BYTES = 20e6;

/** All that people can play from, in the order in which it is asked. */
export function roomSources(deps: {
  library: Library;
  media: Pick<MediaClient, "download">;
  /** For errands, of no channel. */
  plane: Pick<MediaPlane, "request">;
  config: Pick<
    Config,
    | "fetchHttp"
    | "radioStations"
    | "fetchAllow"
    | "fetchMaxBytes"
    | "cacheMaxBytes"
    | "ytdlpPath"
    | "ytdlpSearch"
  >;
  dataDir: string;
  clock: Clock;
  log: Log;
}): Sources {
  const { library, media, plane, config, dataDir, clock, log } = deps;
  const fetchUpload: FetchUpload = (mxc, { path, maxBytes, signal }) =>
    media.download(mxc, path, { maxBytes, signal });
  const cacheOf = (name: string, maxFileBytes: number, maxBytes: number): FileCache =>
    new FileCache({ directory: join(dataDir, "cache", name), maxFileBytes, maxBytes, clock });
  const maxFileBytes = config.fetchMaxBytes;
  const files = cacheOf("files", maxFileBytes, config.cacheMaxBytes);
  const lists = cacheOf("playlists", MAX_PLAYLIST_BYTES, PLAYLIST_CACHE_BYTES);
  const playlists = new Playlists({
    ...{ library, clock },
    uploads: new UploadCache({ files: lists, fetchUpload }),
    address: (ask, signal, asker) => sources.resolveFor(asker, ask, signal),
  });
  const limits = new FetchLimits();
  const policy = { allowHttp: config.fetchHttp, allow: config.fetchAllow };
  const ytdlp = new Ytdlp({
    finder: new YtdlpFinder(config.ytdlpPath, clock, log),
    service: config.ytdlpSearch === "off" ? null : config.ytdlpSearch,
    workDirectory: join(dataDir, "cache", "ytdlp"),
    ...{ files, policy, limits, clock, log },
  });
  // Of a run that was killed; whoever plays nothing else would keep it.
  for (const each of [files, lists, ytdlp]) each.clear().catch(() => undefined);
  const urls = new Urls({
    files: new UrlFiles({ files, plane, limits, clock, log }),
    ...{ policy, clock, pages: ytdlp },
    playlist: (playlist, signal) => playlists.read(playlist, signal),
  });
  const stations = new Stations({
    ...{ stations: config.radioStations, policy },
    address: (url, signal, asker) => sources.resolveFor(asker, { kind: "words", text: url }, signal),
  });
  const sources: Sources = new Sources([
    stations,
    urls,
    playlists,
    library,
    ytdlp,
    new Uploads({ cache: new UploadCache({ files, fetchUpload }), maxFileBytes }),
  ]);
  return sources;
}
