import { MAX_ITEMS } from "../playlist/item.ts";

/** Of yt-dlp, for everything we have it do. Pure: nothing that a person wrote is before the `--`. */
const ALWAYS: readonly string[] = [
  // Nobody's configuration, cookies, passwords, caches. Files of this machine are no sources unless an option says so.
  ...["--ignore-config", "--no-cache-dir", "--no-cookies", "--no-cookies-from-browser"],
  // Nothing of its output is run, and nothing of it is given to other programs.
  ...["--no-exec", "--fixup", "never", "--ffmpeg-location", "/nonexistent", "--no-update"],
  ...["--default-search", "error", "--quiet", "--no-progress", "--no-mark-watched"],
  ...["--socket-timeout", "15", "--retries", "2", "--fragment-retries", "2", "--extractor-retries", "1"],
];

/** The first that may be told which JavaScript there is; YouTube's scripts want to be run since. */
const KNOWS_RUNTIMES = "2025.11.12";

/**
 * For a yt-dlp of that version: it runs sites' scripts in `node` (a path), which may read no files and start no
 * programs then (`--permission` of Node).
 */
export const runtimeArguments = (version: string, node: string): string[] =>
  /^\d{4}\.\d{2}\.\d{2}/.test(version) && version >= KNOWS_RUNTIMES ? ["--js-runtimes", `node:${node}`] : [];

/**
 * Sound alone where there is such a thing, else a film that is not large; over HTTP and HLS, whose bytes come through our
 * proxy. Other protocols are spoken by programs of their own.
 */
const FORMAT = [
  ...["ba[protocol^=http]", "ba[protocol=m3u8_native]"],
  ...["b[protocol^=http][height<=?480]", "w[protocol^=http]", "w[protocol=m3u8_native]"],
].join("/");

/** Says what is at an address, as one document of JSON; of a list its entries, without looking into each. */
export const lookArguments = (url: string): string[] => [
  ...ALWAYS,
  ...["--dump-single-json", "--flat-playlist", "--playlist-end", String(MAX_ITEMS + 1), "--no-playlist"],
  ...["--format", FORMAT, "--", url],
];

/** The first `count` of what a service finds. @param service as yt-dlp calls it, for example `ytsearch` */
export const searchArguments = (service: string, words: string, count: number): string[] => [
  ...ALWAYS,
  ...["--dump-single-json", "--flat-playlist", "--", `${service}${count}:${words}`],
];

/** Brings the sound into the file `audio` of the working folder. @param item which of a list's, from 1 */
export const downloadArguments = (
  { url, item }: { url: string; item?: number | undefined },
  { maxBytes }: { maxBytes: number },
): string[] => [
  ...ALWAYS,
  ...["--format", FORMAT, "--output", DOWNLOADED, "--no-part", "--no-continue", "--no-mtime"],
  // What has no end would be brought for as long as it may take.
  ...["--match-filters", "!is_live"],
  ...["--max-filesize", String(maxBytes), "--no-write-info-json", "--no-write-subs"],
  ...(item === undefined
    ? ["--no-playlist", "--playlist-items", "1"]
    : ["--yes-playlist", "--playlist-items", String(item)]),
  ...["--", url],
];

/** Without an ending: those come from whoever answers. */
export const DOWNLOADED = "audio";
