import { posix } from "node:path";
import type { Sentence } from "../../base/messages/catalogue.ts";
import { MAX_LOCATION } from "./item.ts";
import { hasScheme } from "./playlist.ts";

/** What an entry names. */
export type Place =
  | { kind: "address"; url: string }
  /** Below the media folder, without a way out of it; whether it is there nobody has looked. */
  | { kind: "file"; path: string }
  | { kind: "refused"; why: Sentence };

/**
 * Where an entry leads: http and https addresses, and paths from the folder of the playlist on. Of absolute paths those
 * of the media folder, where the playlist is in there itself. Pure.
 * @param folder of the playlist below the media folder, "" for itself and for lists from elsewhere
 * @param roots the media folder as it is called; none when absolute paths are other machines' business
 */
export function placeOf(
  location: string,
  { folder, roots }: { folder: string; roots: readonly string[] },
): Place {
  if (location.length > MAX_LOCATION) return refused({ key: "playlist.why_long" });
  if (hasScheme(location)) {
    const scheme = location.slice(0, location.indexOf(":")).toLowerCase();
    if (scheme === "http" || scheme === "https") return { kind: "address", url: location };
    return refused({ key: "playlist.why_scheme", params: { scheme } });
  }
  const path = location.replaceAll("\\", "/");
  const root = roots.find((name) => path.startsWith(`${name}/`));
  const below = root === undefined ? null : path.slice(root.length + 1);
  if (below === null && (path.startsWith("/") || /^[a-z]:/i.test(path))) return outside;
  const inside = posix.normalize(below ?? posix.join(folder, path));
  return inside === ".." || inside.startsWith("../") || inside.startsWith("/")
    ? outside
    : { kind: "file", path: inside };
}

const refused = (why: Sentence): Place => ({ kind: "refused", why });
const outside = refused({ key: "playlist.why_outside" });
