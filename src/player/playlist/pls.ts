import type { Steps } from "../../base/slices.ts";
import { Collected, type Entry } from "./collect.ts";
import type { RawPlaylist } from "./item.ts";

/** More entries are not even remembered: numbers make them cost memory before their order is known. */
const MAX_ENTRIES = 10_000;

/** `FileN=`, `TitleN=`, `LengthN=` (seconds, -1 when it is not known), in any order; N says where it stands. */
export function* parsePls(text: string): Steps<RawPlaylist> {
  const entries = new Map<number, Entry>();
  const found = new Collected();
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    yield;
    const match = /^\s*([a-z]+?)(\d{1,9})?\s*=(.*)$/i.exec(line);
    if (!match) continue;
    const [, name = "", number, value = ""] = match;
    const key = name.toLowerCase();
    if (number === undefined) {
      if (key === "playlistname") found.title = value;
      continue;
    }
    if (key !== "file" && key !== "title" && key !== "length") continue;
    const known = entries.get(Number(number));
    if (!known && entries.size >= MAX_ENTRIES) continue;
    const entry = known ?? { location: "", title: null, durationMs: null };
    entries.set(Number(number), entry);
    if (key === "file") entry.location = value;
    else if (key === "title") entry.title = value;
    else entry.durationMs = Number.parseFloat(value) * 1000;
  }
  for (const [, entry] of [...entries].sort(([a], [b]) => a - b)) found.add(entry);
  return found.result();
}
