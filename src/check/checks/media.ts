import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { Library } from "../../player/resolver/library.ts";
import { need } from "../context.ts";
import { ok, warn, type Check, type Finding } from "../check.ts";

export const media: Check = {
  id: "media",
  about: "the media folder can be read, and how many files in it can be played by name",
  limitMs: 20_000,
  async run(context): Promise<Finding> {
    const path = resolve(need(context, "mediaDir"));
    const todo =
      "Put audio files there or name another folder: VOICEBOT_MEDIA_DIR. Uploads play all the same.";
    try {
      if (!(await stat(path)).isDirectory()) return warn(`${path} is not a folder`, todo);
      await access(path, constants.R_OK | constants.X_OK);
    } catch (error) {
      return warn(messageOf(error), todo);
    }
    const count = await new Library({ root: path, clock: context.clock }).count();
    return count > 0 ? ok(`${path} has ${count} files to play`) : warn(`${path} has no files to play`, todo);
  },
};
