export {
  MAX_SEMITONES,
  MAX_SHELF_DB,
  MAX_SPEED,
  MIN_SPEED,
  NO_FILTERS,
  type Filters,
} from "../media/messages.ts";
