// The table of the commands for people: README and docs/USAGE.md, printed from the commands themselves.
import { render } from "../src/base/messages/catalogue.ts";
import { COMMANDS } from "../src/commands/table.ts";
import { usageLine } from "../src/commands/usage.ts";

/** Who may give a command whose level depends on what is asked: src/commands has the rule, test/unit/commands its tests. */
const BY_CASE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["forceskip", "seek", "replay", "previous", "remove", "move", "shuffle", "clear"].map((name) => [
      name,
      "who asked for the tracks; who is alone there; DJs; level 50",
    ]),
  ),
  filter: "to see: everybody; else who asked for the track; who is alone there; DJs; level 50",
  skip: "who asked for the tracks; who is alone there; DJs; level 50; else it is a vote",
  stop: "who asked for all tracks; who is alone there; DJs; level 50",
  leave: "DJs; level 50; who is alone there, while nothing is recorded",
  dj: "to see: everybody; to change: level 50",
  level: "to see: everybody; to change: level 50",
  loop: "to see: everybody; else as skip",
  save: "everybody; over another's list: DJs; level 50",
  unlist: "who has kept it; DJs; level 50",
  record: "level 50; `status`, `note`: everybody",
  settings: "to see: everybody; to change: level 50, and DJs what is about the queue",
};

/** @throws when a rule is missing here, or is for nothing */
export function commandTable(): string {
  const unused = new Set(Object.keys(BY_CASE));
  const rows = COMMANDS.map((command) => {
    const { name, power, help } = command;
    unused.delete(name);
    const who =
      typeof power === "number" ? (power === 0 ? "everybody" : `level ${power}`) : (BY_CASE[name] ?? null);
    if (who === null) throw new Error(`who may give ${name} is not written down in scripts/command-docs.ts`);
    const usage = `\`${usageLine(command, { prefix: "!", language: "en" }).replaceAll("|", String.raw`\|`)}\``;
    return [usage, render({ key: help }).text, who];
  });
  if (unused.size > 0) throw new Error(`no such command with cases: ${[...unused].join(", ")}`);
  return table(["command (and short forms)", "what it does", "who may"], rows);
}

/** As prettier leaves it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], fill = " "): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`;
  return [line(head), line(Array<string>(head.length).fill(""), "-"), ...rows.map((row) => line(row))].join(
    "\n",
  );
}
