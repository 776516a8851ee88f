import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { TagCache } from "../player/library/tag-cache.ts";
import { ChildTagReader } from "../player/library/tag-reader.ts";
import { FolderScan } from "../player/loudness/folder-scan.ts";
import type { LoudnessScans } from "../player/loudness/scans.ts";
import { Library } from "../player/resolver/library.ts";
import { MachineLoad } from "./machine-load.ts";

export interface MediaLibraryOptions {
  root: string;
  /** What its files say of themselves is kept in its `cache`. */
  dataDir: string;
  clock: Clock;
  log: Log;
  scans: LoudnessScans;
  ffmpeg: string;
  /** Of a core: what measuring its files beforehand may take; 0: it is not done. */
  scanPercent: number;
  /** Something goes on that is more urgent than that. */
  isBusy: () => boolean;
}

/** The media folder. It does nothing before its start; closing it closes both. */
export function mediaLibrary(options: MediaLibraryOptions): { library: Library; levels: FolderScan | null } {
  const { root, dataDir, clock, log, scans, ffmpeg, scanPercent, isBusy } = options;
  const cache = new TagCache({ path: join(dataDir, "cache", "library.db"), log });
  const load = new MachineLoad();
  const levels =
    scanPercent === 0
      ? null
      : new FolderScan({
          ...{ scans, share: scanPercent / 100, clock, log },
          isBusy: () => load.isBusy || isBusy(),
          measure: async (path, how) => {
            // Where nothing is to be measured it is not even loaded.
            const { measureBeforehand } = await import("../media/audio/scan.ts");
            return measureBeforehand(ffmpeg, path, { ...how, clock, log });
          },
        });
  const background = { log, cache, reader: new ChildTagReader(clock), ...(levels && { levels }) };
  return { library: new Library({ root, clock, background }), levels };
}
