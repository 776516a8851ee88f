import type { QueueRules } from "../player/queue.ts";
import type { RoomSettings } from "../settings/room-settings.ts";

/** What the room has set about its queue, as the player needs it. */
export function queueRules(settings: Pick<RoomSettings, "get" | "onChange">): {
  rules: () => QueueRules;
  onRules: (listener: () => void) => () => void;
} {
  return {
    rules: () => ({
      fair: settings.get("fair") === "on",
      maxPerPerson: settings.get("max-per-person"),
    }),
    onRules: (listener) =>
      settings.onChange(({ name }) => {
        if (name === "fair") listener();
      }),
  };
}
