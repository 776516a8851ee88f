import { NO_FILTERS, type Filters } from "../media/messages.ts";
import type { Track } from "./track.ts";

export {
  equalizerLiftDb,
  MAX_BANDS,
  MAX_HZ,
  MAX_SEMITONES,
  MAX_SHELF_DB,
  MAX_SPEED,
  MIN_HZ,
  MIN_SPEED,
  NO_FILTERS,
  sameFilters,
  type Band,
  type Filters,
} from "../media/messages.ts";

/** How a track sounds by a room's filters: nothing that comes in its own time is played faster. */
export const filtersOf = (filters: Filters, { source }: Pick<Track, "source">): Filters =>
  source.kind === "stream" ? { ...filters, speed: NO_FILTERS.speed } : filters;
