import { messageOf } from "../../base/errors.ts";
import { OLD_DAYS, YtdlpFinder } from "../../player/ytdlp/program.ts";
import { need } from "../context.ts";
import { ok, warn, type Check, type Finding } from "../check.ts";

export const ytdlp: Check = {
  id: "ytdlp",
  about: "yt-dlp, where it is installed, is not too old for the sites that it reads",
  limitMs: 25_000,
  async run(context): Promise<Finding> {
    const setting = need(context, "ytdlpPath");
    const finder = new YtdlpFinder(setting, context.clock);
    if (finder.isOff) return ok("switched off: pages of music and video sites do not play");
    try {
      const { path, version, ageDays } = await finder.find();
      const age = ageDays === null ? "" : `, ${ageDays} days old`;
      if (ageDays === null || ageDays < OLD_DAYS) return ok(`${path} ${version}${age}`);
      return warn(
        `${path} ${version}${age}`,
        "Update it: python3 -m pip install --upgrade yt-dlp, or yt-dlp -U.",
      );
    } catch (error) {
      // Nobody has asked for it: then it is no lack.
      if (setting === null) return ok("there is none: pages of music and video sites do not play");
      return warn(
        messageOf(error),
        "Install it: python3 -m pip install yt-dlp. Or say off: VOICEBOT_YTDLP_PATH.",
      );
    }
  },
};
