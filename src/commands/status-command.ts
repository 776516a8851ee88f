import { longTime } from "../base/duration.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import { MODERATOR, type Command } from "./command.ts";

const MB = 1e6;

/** How the bot as a whole is. Only numbers of other rooms: whoever moderates one may know no more of the others. */
export const statusCommand: Command = {
  name: "status",
  aliases: [],
  usage: "",
  help: "help.status",
  power: MODERATOR,
  order: "once",
  run({ room }) {
    const { version, uptimeMs, syncAgeMs, rooms, channels, outbox, media, recordings, levels, memory } =
      room.status();
    const inside = channels.filter(({ phase }) => phase === "in");
    const people = inside.reduce((sum, { links }) => sum + links.length, 0);
    const sentences: Sentence[] = [
      { key: "status.version", params: { version, uptime: longTime(uptimeMs) } },
      { key: "status.sync", params: { seconds: Math.round((syncAgeMs ?? 0) / 1000) } },
      { key: outbox.limited ? "status.limited" : "status.unlimited", params: { count: outbox.refusals } },
      { key: "status.rooms", params: { rooms, channels: inside.length, people } },
      media.children.length === 0 || memory.media === null
        ? { key: "status.media_asleep", params: { failures: media.failures } }
        : {
            key: "status.media",
            params: {
              count: media.children.length,
              engine: media.engine ?? "?",
              mb: Math.round(memory.media / MB),
              failures: media.failures,
            },
          },
      { key: "status.memory", params: { mb: Math.round(memory.control / MB) } },
      { key: "status.recordings", params: { ...recordings } },
      ...(levels === null ? [] : [{ key: "status.levels", params: { ...levels } } as const]),
    ];
    const list = sentences.map((each) => `– ${render(each, room.language).text}`).join("\n");
    return { key: "status.list", params: { list } };
  },
};
