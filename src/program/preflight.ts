import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "../base/errors.ts";
import type { Config, ConfigProblem } from "../config/config.ts";
import { findFfmpeg } from "../media/audio/ffmpeg-path.ts";

/** What the configuration names must be there: all that is not, before anything is started. Makes the data folder. */
export async function preflight(config: Config): Promise<ConfigProblem[]> {
  const [dataDir, ffmpeg] = await Promise.all([checkDataDir(config.dataDir), checkFfmpeg(config.ffmpegPath)]);
  return [dataDir, ffmpeg].filter((problem) => problem !== null);
}

async function checkDataDir(path: string): Promise<ConfigProblem | null> {
  const dataDir = resolve(path);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return {
      key: "VOICEBOT_DATA_DIR",
      problem: `cannot be used: ${messageOf(error)}`,
      hint: "Name a folder that the bot may make or write to.",
    };
  }
}

async function checkFfmpeg(configured: string | null): Promise<ConfigProblem | null> {
  try {
    await findFfmpeg(configured);
    return null;
  } catch (error) {
    return {
      key: "VOICEBOT_FFMPEG_PATH",
      problem: messageOf(error),
      hint: "On Debian: apt-get install ffmpeg.",
    };
  }
}
