import { render } from "../base/messages/catalogue.ts";
import { listName } from "../player/saved-lists.ts";
import { ensureInChannel } from "./channel-commands.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { describeMany } from "./play-commands.ts";
import { usageOf } from "./usage.ts";

/** A list is changed by who has kept it, and by moderators. */
function powerOverList({ room, message, args }: Invocation): number {
  const list = room.player.lists.find(args);
  return list === null || list.by === message.sender ? 0 : MODERATOR;
}

const save: Command = {
  name: "save",
  refusal: "lists.not_yours",
  djs: true,
  aliases: [],
  usage: "<{name}>",
  help: "help.save",
  power: powerOverList,
  order: "once",
  run({ room, message, args }) {
    if (listName(args) === "") throw usageOf(save, room);
    const { player, prefix } = room;
    const now = player.nowPlaying();
    const tracks = [...(now ? [now.track] : []), ...player.queue()];
    const { name, count } = player.lists.save(args, tracks, message.sender);
    return { key: "lists.saved", params: { name, count, prefix } };
  },
};

const load: Command = {
  name: "load",
  djs: true,
  aliases: [],
  usage: "<{name}>",
  help: "help.load",
  power: 0,
  order: "turn",
  async run(invocation) {
    const { room, message, args } = invocation;
    if (listName(args) === "") throw usageOf(load, room);
    const { info, entries } = room.player.lists.load(args);
    const arriving = !room.channel.joined;
    await ensureInChannel(invocation, "load");
    const added = await room.player.addMany(entries, message.sender);
    if (arriving && room.player.nowPlaying()?.phase === "paused") room.player.resume();
    return describeMany(added, { title: info.name });
  },
};

const lists: Command = {
  name: "lists",
  aliases: [],
  usage: "",
  help: "help.lists",
  power: 0,
  order: "once",
  run({ room }) {
    const all = room.player.lists.all();
    if (all.length === 0) return { key: "lists.none" };
    const lines = all.map(({ name, count, by }) => {
      const params = { name, count, by: room.displayName(by) };
      return render({ key: "lists.line", params }, room.language).text;
    });
    return { key: "lists.list", params: { list: lines.join("\n"), prefix: room.prefix } };
  },
};

const unlist: Command = {
  name: "unlist",
  refusal: "lists.not_yours",
  djs: true,
  aliases: [],
  usage: "<{name}>",
  help: "help.unlist",
  power: powerOverList,
  order: "once",
  run({ room, args }) {
    if (listName(args) === "") throw usageOf(unlist, room);
    return { key: "lists.removed", params: { name: room.player.lists.remove(args).name } };
  },
};

export const listCommands: readonly Command[] = [save, load, lists, unlist];
