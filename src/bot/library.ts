import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { TagCache } from "../player/library/tag-cache.ts";
import { ChildTagReader } from "../player/library/tag-reader.ts";
import { Library } from "../player/resolver/library.ts";

/** The media folder `root`, with what its files say of themselves kept in `dataDir`. It does nothing before its start. */
export function mediaLibrary(options: { root: string; dataDir: string; clock: Clock; log: Log }): Library {
  const { root, dataDir, clock, log } = options;
  const cache = new TagCache({ path: join(dataDir, "cache", "library.db"), log });
  return new Library({ root, clock, background: { log, cache, reader: new ChildTagReader(clock) } });
}
