import { cutText } from "../base/cut-text.ts";
import { render, type Language } from "../base/messages/catalogue.ts";

/** What the bot's name in a room says. */
export type NameMark = "recording" | "paused";

const KEYS = { recording: "record.name", paused: "record.name_paused" } as const;
const LANGUAGES: readonly Language[] = ["en", "de"];
/** Homeservers take 256 bytes or so. */
const MAX_NAME = 120;
const PLACE = "NAME";

/** The name with the mark, in the room's language. */
export function markedName(name: string, mark: NameMark, language: Language): string {
  return render({ key: KEYS[mark], params: { name: cutText(name, MAX_NAME) } }, language).text;
}

/** The name without a mark of ours, in whatever language; the same when it has none. */
export function unmarkedName(name: string): string {
  for (const language of LANGUAGES) {
    for (const key of Object.values(KEYS)) {
      const [before = "", after = ""] = render({ key, params: { name: PLACE } }, language).text.split(PLACE);
      const length = name.length - before.length - after.length;
      if (length > 0 && name.startsWith(before) && name.endsWith(after)) {
        return name.slice(before.length, before.length + length);
      }
    }
  }
  return name;
}
