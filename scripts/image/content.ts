/** What an unpacked image must hold, what it must not, and how large its parts are. */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../demo/report.ts";
import { soundFilters } from "../../src/media/audio/filter-chain.ts";
import { AUDIO_FORMATS, STREAM_FORMATS } from "../../src/media/audio/media-file.ts";
import { runtimeArguments } from "../../src/player/ytdlp/arguments.ts";
import { ageDays } from "../../src/player/ytdlp/program.ts";
import { execute, root, type ImageConfig } from "./buildah.ts";

const MAX_MB = 400;
const EVERY_FILTER = {
  bassDb: 6,
  trebleDb: 6,
  eq: [{ hz: 60, db: 4 }],
  speed: 1.5,
  pitch: 2,
  mono: true,
  night: true,
};
const PROGRAMS = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"];
const TOOLS =
  /^(cc|gcc|g\+\+|c\+\+|clang|ld|as|make|cmake|nasm|pip[\d.]*|npm|npx|yarn|yarnpkg|pnpm|corepack|git|curl|wget|tsc)(-\d+)?$/;
const CACHES = [
  "root/.npm",
  "root/.cache",
  "home/node/.npm",
  "home/node/.cache",
  "app/.npm",
  "var/lib/apt/lists",
];
/** What a desktop has and a bot has no use for; by the beginning of the library's name. */
const DESKTOP =
  /^lib(X11|xcb|SDL|GL|EGL|LLVM|vulkan|wayland|pulse|asound|gtk|cairo|pango|x26[45]|rsvg|avdevice|avcodec)/;

export function checkConfig(config: ImageConfig, report: Report): void {
  const { User, Entrypoint, Healthcheck, Volumes, Labels } = config;
  report.check("user, by number", /^[1-9]\d*:[1-9]\d*$/.test(User), User, "not 0");
  report.check("first process", Entrypoint[0] === "tini", Entrypoint.join(" "), "tini");
  report.check(
    "health check",
    Healthcheck.Test[0] === "CMD",
    Healthcheck.Test.join(" "),
    "a command, no shell",
  );
  const volumes = Object.keys(Volumes).sort().join(" ");
  report.check("volumes", volumes === "/data /media", volumes, "/data /media");
  const labels = ["title", "description", "licenses", "version", "revision"];
  const missing = labels.filter((name) => !Labels[`org.opencontainers.image.${name}`]);
  report.check("labels", missing.length === 0, missing.join(" ") || "all", "none missing");
}

export async function checkContent(folder: string, report: Report): Promise<void> {
  const wrong = notForProduction(join(folder, "app/node_modules"));
  report.check("packages", wrong.length === 0, list(wrong), "production only");
  const notices = entries(join(folder, "app/audio")).filter((name) => name.startsWith("recording-notice-"));
  report.check("spoken notices of recordings", notices.length > 1, list(notices), "one for each language");
  const tools = PROGRAMS.flatMap((path) => entries(join(folder, path))).filter((name) => TOOLS.test(name));
  report.check("compilers, package managers", tools.length === 0, list(tools), "none");
  await checkYtdlp(folder, report);
  const caches = CACHES.filter((path) => entries(join(folder, path)).length > 0);
  report.check("caches", caches.length === 0, list(caches), "none");
  const libraries = ["usr/lib", "lib"].flatMap((path) => entries(join(folder, path), true));
  const desktop = libraries.filter((path) => DESKTOP.test(path.slice(path.lastIndexOf("/") + 1)));
  report.check("libraries of desktops and of video", desktop.length === 0, list(desktop), "none");
  await checkFfmpeg(folder, report);
}

/** It runs, and knows the bot's own Node for the scripts of sites that want them run. */
async function checkYtdlp(folder: string, report: Report): Promise<void> {
  const nowhere = "https://127.0.0.1:1/";
  const command = "yt-dlp --ignore-config --version; yt-dlp $0 --ignore-config --verbose $1 2>&1 || true";
  const runtimes = runtimeArguments("9999.12.31", "/usr/local/bin/node").join(" ");
  const said = await execute("chroot", [folder, "/bin/sh", "-c", command, runtimes, nowhere], 60_000);
  const version = said.split("\n", 1)[0] ?? "";
  report.check("yt-dlp", ageDays(version, Date.now()) !== null, version, "a version");
  const runtime = /JS runtimes: (.*)/.exec(said)?.[1] ?? "none";
  report.check("yt-dlp: JavaScript", /^node-[\d.]+$/.test(runtime), runtime, "node");
}

/** Reads all containers that the bot takes, and has no decoder for pictures. */
async function checkFfmpeg(folder: string, report: Report): Promise<void> {
  const ask = (what: string): Promise<string> =>
    execute("chroot", [folder, "/usr/local/bin/ffmpeg", "-hide_banner", what], 60_000);
  const demuxers = new Set(
    words(await ask("-demuxers"), /^ D[ d]? +(\S+)/).flatMap((name) => name.split(",")),
  );
  const missing = [...AUDIO_FORMATS, ...STREAM_FORMATS].filter((name) => !demuxers.has(name));
  report.check("ffmpeg: containers of the bot", missing.length === 0, list(missing), "none missing");
  const decoders = await ask("-decoders");
  const wanted = ["mp3", "aac", "flac", "opus", "vorbis", "alac", "wmav2", "pcm_s16le"];
  const sound = new Set(words(decoders, /^ A\S{5} (\S+)/));
  const deaf = wanted.filter((name) => !sound.has(name));
  report.check("ffmpeg: decoders of sound", deaf.length === 0, list(deaf), "none missing");
  const pictures = words(decoders, /^ V\S{5} ([^\s=]+)/);
  report.check("ffmpeg: decoders of pictures", pictures.length === 0, list(pictures), "none");
  const filters = new Set(words(await ask("-filters"), /^ [.A-Z]{3} (\S+) +A->[AN]/));
  const changing = soundFilters(EVERY_FILTER, false).args[1]?.split(",") ?? [];
  const needed = ["ebur128", ...changing.map((part) => part.replace(/=.*/, ""))];
  const lacking = needed.filter((name) => !filters.has(name));
  report.check("ffmpeg: filters", lacking.length === 0, list(lacking), "none missing");
  const encoders = new Set(words(await ask("-encoders"), /^ A\S{5} (\S+)/));
  const mute = ["libopus", "libmp3lame", "flac", "pcm_s16le"].filter((name) => !encoders.has(name));
  report.check("ffmpeg: encoders", mute.length === 0, list(mute), "none missing");
}

/** Prints what the image weighs, unpacked. */
export function checkSize(folder: string, report: Report): void {
  const size = (path: string): number => bytesOf(join(folder, path)) / 1e6;
  const parts: Record<string, number> = {
    "the bot": size("app/dist"),
    "its packages": size("app/node_modules"),
    ffmpeg: size("usr/local/bin/ffmpeg"),
    "yt-dlp": size("opt/yt-dlp"),
    "Node.js": size("usr/local/bin/node"),
  };
  const total = size("");
  parts["Debian"] = total - Object.values(parts).reduce((sum, part) => sum + part, 0);
  for (const [name, part] of Object.entries(parts))
    report.say(`${name.padEnd(14)} ${part.toFixed(1).padStart(7)} MB`);
  report.check("unpacked", total <= MAX_MB, `${total.toFixed(0)} MB`, `≤ ${MAX_MB} MB`);
}

/** Files that native packages need for this processor, by their ELF headers. */
export function checkNative(folder: string, machine: "x64" | "arm64", report: Report): void {
  const folders = entries(join(folder, "app/node_modules/@node-datachannel"));
  const binary = join(
    folder,
    `app/node_modules/@node-datachannel/linux-${machine}-gnu/node_datachannel.node`,
  );
  // e_machine of the ELF header, at offset 18.
  const found = existsSync(binary) ? readFileSync(binary).readUInt16LE(18) : 0;
  const right = found === { x64: 62, arm64: 183 }[machine] && folders.length === 1;
  report.check(`WebRTC library for ${machine}`, right, list(folders), `linux-${machine}-gnu alone`);
}

/** Packages that are there and not among those that the lock file has for production. */
function notForProduction(folder: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean } | undefined>;
  };
  const names = (path: string, prefix: string): string[] =>
    entries(path).flatMap((name) => {
      if (name.startsWith(".")) return [];
      if (name.startsWith("@") && prefix === "") return names(join(path, name), `${name}/`);
      const nested = names(join(path, name, "node_modules"), "").map(
        (inner) => `${prefix}${name}/node_modules/${inner}`,
      );
      return [`${prefix}${name}`, ...nested];
    });
  const all = names(folder, "");
  if (all.length === 0) return ["no packages at all"];
  return all.filter((name) => {
    const entry = packages[`node_modules/${name}`];
    return entry === undefined || entry.dev === true;
  });
}

function entries(path: string, recursive = false): string[] {
  // Links are read as what they are: absolute ones would lead out of the image.
  if (!existsSync(path) || lstatSync(path).isSymbolicLink()) return [];
  return readdirSync(path, { recursive }).map(String);
}

function bytesOf(path: string, seen = new Set<number>()): number {
  const stat = lstatSync(path);
  if (seen.has(stat.ino)) return 0;
  seen.add(stat.ino);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name), seen), 0);
}

const words = (text: string, pattern: RegExp): string[] =>
  text.split("\n").flatMap((line) => pattern.exec(line)?.[1] ?? []);
const list = (names: readonly string[]): string =>
  names.length === 0
    ? "none"
    : `${names.slice(0, 4).join(" ")}${names.length > 4 ? ` and ${names.length - 4} more` : ""}`;
