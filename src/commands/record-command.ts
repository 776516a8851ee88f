import { clockTime } from "../base/duration.ts";
import { ensureInChannel } from "./channel-commands.ts";
import { MODERATOR, type Command } from "./command.ts";
import { usageOf } from "./usage.ts";

export const recordCommand: Command = {
  name: "record",
  aliases: ["rec"],
  usage: "start|stop|status",
  help: "help.record",
  power: ({ args }) => (/^status$/i.test(args) ? 0 : MODERATOR),
  order: "turn",
  async run(invocation) {
    const { room, message, args } = invocation;
    switch (args.toLowerCase()) {
      // The recorder itself tells the room about start and end: everybody has to know, whoever asked.
      case "":
      case "start":
        await ensureInChannel(invocation, "record start");
        await room.recorder.start(message.sender);
        return null;
      case "stop":
        await room.recorder.stop(message.sender);
        return null;
      case "status": {
        const status = room.recorder.status();
        if (status.phase === "idle") return { key: "record.none" };
        if (status.phase === "exporting")
          return { key: "record.exporting", params: { percent: status.percent } };
        const { elapsedMs, tracks } = status;
        return { key: "record.status", params: { length: clockTime(elapsedMs), count: tracks } };
      }
      default:
        throw usageOf(recordCommand, room.prefix);
    }
  },
};
