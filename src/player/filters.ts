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
