import type { Command } from "./command.ts";
import { added, isWelcome, lookAhead } from "./play-commands.ts";

/** Radio stations, by the names that the operator gave them or by their addresses. */
export const radioCommand: Command = {
  name: "radio",
  aliases: [],
  usage: "[{station}]",
  help: "help.radio",
  djs: true,
  power: 0,
  order: "turn",
  prepare: (invocation) =>
    invocation.args === "" || !isWelcome(invocation)
      ? null
      : lookAhead(invocation, { kind: "words", text: invocation.args, radio: true }),
  run(invocation) {
    const { args, room } = invocation;
    if (args !== "") {
      const ask = { kind: "words", text: args, radio: true } as const;
      return added(invocation, ask, { name: "radio", next: false });
    }
    const list = room.sources.stations.join("\n");
    return list === "" ? { key: "radio.none" } : { key: "radio.list", params: { list } };
  },
};
