import { BotError } from "../../base/errors.ts";
import { cleanDetail } from "../text.ts";
import { OLD_DAYS, type YtdlpProgram } from "./program.ts";

/**
 * What a run that failed is told as: by its last complaint, with how old the program is where that may be the reason.
 * @param refusal what the proxy did not let through: the reason that counts
 */
export function failureOf(
  complaint: string,
  { host, program, refusal }: { host: string; program: YtdlpProgram; refusal: BotError | null },
): BotError {
  const reason = reasonIn(complaint);
  const detail = `yt-dlp ${program.version}: ${reason}`;
  const isRefusal = refusal?.code === "media_too_large" || /\b403\b|Forbidden|Tunnel/i.test(complaint);
  if (refusal && isRefusal)
    return new BotError(refusal.code, `${detail} (${refusal.message})`, { say: refusal.say });
  const { ageDays } = program;
  const isOld = ageDays !== null && ageDays >= OLD_DAYS;
  const params = { host, reason, ...(isOld && { days: ageDays }) };
  if (/Unsupported URL|No video formats found|no media/i.test(complaint)) {
    const key = isOld ? "ytdlp.unsupported_old" : "ytdlp.unsupported";
    return new BotError("media_unsupported", detail, { say: { key, params } });
  }
  const say = { key: isOld ? "ytdlp.failed_old" : "ytdlp.failed", params } as const;
  return new BotError("fetch_failed", detail, { say });
}

/** Its last `ERROR:` without what is meant for who writes it: the extractor, the bug tracker, advice on options. */
function reasonIn(complaint: string): string {
  const line = complaint.split("\n").findLast((each) => /^(ERROR|[\w.-]+: error):/.test(each)) ?? "";
  const plain = line
    .replace(/^(ERROR|[\w.-]+: error):\s*/, "")
    .replace(/^\[[^\]]*\]\s*([\w-]{1,64}:\s+)?/, "")
    .replace(/\(caused by .*$/, "")
    .replace(/[;.]?\s*(please report this issue|Confirm you are on the latest|Use --|See https).*$/i, "");
  return cleanDetail(plain.replaceAll(/https?:\/\/\S+/g, ""));
}
