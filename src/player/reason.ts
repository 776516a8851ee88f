import type { Sentence } from "../base/messages/catalogue.ts";
import { cleanDetail } from "./text.ts";

/** What ffmpeg, and we of it, say of files that cannot be played, in words for people. The first that fits. */
const KNOWN: readonly (readonly [pattern: RegExp, say: (match: RegExpExecArray) => Sentence])[] = [
  [
    /^it ends after ([\d.]+) s of ([\d.]+) s/,
    ([, heard = "", length = ""]) => ({ key: "reason.cut", params: { heard, length } }),
  ],
  [/^no data for (\d+) s/, ([, seconds = ""]) => ({ key: "reason.stalled", params: { seconds } })],
  [
    /^([\w-]{1,20}) is not a (?:kind of sound|format) that is played/,
    ([, kind = ""]) => ({ key: "reason.kind", params: { kind } }),
  ],
  [/moov atom not found/i, () => ({ key: "reason.no_index" })],
  [
    /there is no sound in it|matches no streams|does not contain any stream/i,
    () => ({ key: "reason.no_sound" }),
  ],
  [
    /Invalid data found|Invalid argument|could not find codec|Failed to (read|find)|Error while decoding|EBML header|File ended prematurely/i,
    () => ({ key: "reason.damaged" }),
  ],
];

/** Why something could not be played, as part of a sentence. @param detail the media plane's word for logs */
export function reasonOf(detail: string): Sentence {
  for (const [pattern, say] of KNOWN) {
    const match = pattern.exec(detail);
    if (match) return say(match);
  }
  return { key: "reason.other", params: { detail: cleanDetail(detail) } };
}
