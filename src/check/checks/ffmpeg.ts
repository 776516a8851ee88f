import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { messageOf } from "../../base/errors.ts";
import { findFfmpeg } from "../../media/audio/ffmpeg-path.ts";
import { need } from "../context.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";

const run = promisify(execFile);
const LIST_MS = 5_000;
const MAX_LIST_BYTES = 1_000_000;

/** Without one of a group (they do the same) files of that kind do not play. */
const DECODERS = [
  ["mp3float", "mp3"],
  ["aac"],
  ["flac"],
  ["opus", "libopus"],
  ["vorbis", "libvorbis"],
  ["pcm_s16le"],
];
const DEMUXERS = [["mp3"], ["ogg"], ["flac"], ["wav"], ["aac"], ["mov", "mp4"], ["matroska", "webm"]];
/** The mix of a recording. */
const ENCODERS = [["libopus"]];
const MUXERS = [["ogg"], ["s16le"], ["ffmetadata"]];

export const ffmpeg: Check = {
  id: "ffmpeg",
  about: "ffmpeg is there, and has what plays the usual files and mixes recordings",
  limitMs: 15_000,
  async run(context): Promise<Finding> {
    let program: string;
    try {
      program = await findFfmpeg(need(context, "ffmpegPath"));
    } catch (error) {
      return fail(messageOf(error), "On Debian: apt-get install ffmpeg. Or name it: VOICEBOT_FFMPEG_PATH.");
    }
    try {
      const [version, ...lists] = await Promise.all(
        ["-version", "-decoders", "-demuxers", "-encoders", "-muxers"].map((what) => ask(program, what)),
      );
      const number = /^ffmpeg version (\S+)/.exec(version ?? "")?.[1] ?? "of unknown version";
      const [decoders = "", demuxers = "", encoders = "", muxers = ""] = lists;
      const unable = [...lacking(DECODERS, decoders), ...lacking(DEMUXERS, demuxers)];
      const mixless = [...lacking(ENCODERS, encoders), ...lacking(MUXERS, muxers)];
      const todo = "Use the ffmpeg of Debian, or the package ffmpeg-static.";
      if (mixless.length > 0)
        return fail(`${program} ${number} lacks ${mixless.join(", ")}: no mix, no music`, todo);
      if (unable.length > 0) return warn(`${program} ${number} cannot read ${unable.join(", ")}`, todo);
      return ok(`${program} ${number}, with all that is needed`);
    } catch (error) {
      return fail(`${program} does not run: ${messageOf(error)}`, "Does it run when you start it by hand?");
    }
  },
};

async function ask(program: string, what: string): Promise<string> {
  const { stdout } = await run(program, ["-hide_banner", what], {
    timeout: LIST_MS,
    maxBuffer: MAX_LIST_BYTES,
  });
  return stdout;
}

/** The first of each group of which none is in ffmpeg's list (` A....D flac   FLAC (…)`, ` D  mov,mp4,m4a   …`). */
export function lacking(groups: readonly (readonly string[])[], list: string): string[] {
  const names = new Set(
    list.split("\n").flatMap((line) => /^ [A-Z. ]+? +([a-z0-9_,]+) /.exec(line)?.[1]?.split(",") ?? []),
  );
  return groups.filter((group) => !group.some((name) => names.has(name))).map((group) => group[0] ?? "");
}
