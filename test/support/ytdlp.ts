import { existsSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

/** The real program, of the venv that scripts/bootstrap.js makes. @throws when it is not there: nothing is skipped */
export function realYtdlp(): string {
  const path = join(root, ".cache/ytdlp/venv/bin/yt-dlp");
  if (!existsSync(path)) throw new Error("There is no yt-dlp yet: run `npm run setup` first.");
  return path;
}
