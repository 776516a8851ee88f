import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import {
  filtersOf,
  MAX_BANDS,
  MAX_SEMITONES,
  MAX_SHELF_DB,
  MAX_SPEED,
  MIN_SPEED,
  sameFilters,
} from "../player/filters.ts";
import type { Command } from "./command.ts";
import { filtersText, readFilters } from "./filters.ts";
import type { RoomContext } from "./room-context.ts";
import { usageLine } from "./usage.ts";
import { playing, powerOver } from "./who-may.ts";

/** Shows how the music is changed, or changes it in mid-track. */
export const filterCommand: Command = {
  name: "filter",
  refusal: "error.not_yours",
  djs: true,
  aliases: ["filters", "eq"],
  usage: "[bass +6|treble -3|eq 60:+4 1k:-2|speed 1.25|pitch 2|nightcore|mono|night|off]",
  help: "help.filter",
  power: (invocation) => (invocation.args === "" ? 0 : powerOver(playing(invocation), invocation)),
  order: "once",
  run({ room, args }) {
    if (args === "") return shown(room);
    const filters = readFilters(args, room.player.state().filters);
    if (!filters) {
      const bounds = {
        db: MAX_SHELF_DB,
        min: MIN_SPEED,
        max: MAX_SPEED,
        semitones: MAX_SEMITONES,
        bands: MAX_BANDS,
      };
      const params = { usage: usageLine(filterCommand, room), ...bounds };
      throw new BotError("bad_command", "no such filter", { say: { key: "filter.usage", params } });
    }
    room.player.setFilters(filters);
    return shown(room);
  },
};

function shown({ player, language, prefix }: RoomContext): Sentence {
  const { now, filters: all } = player.state();
  const filters = filtersText(all, language);
  if (filters === "") return { key: "filter.none" };
  const isTooFast = now !== null && !sameFilters(filtersOf(all, now.track), all);
  return { key: isTooFast ? "filter.now_stream" : "filter.now", params: { filters, prefix } };
}
