import { Option, type Command } from "commander";
import type { LoadedConfig } from "../config/config.ts";
import { withLoadedConfig } from "./config-command.ts";
import type * as Runs from "./recordings-run.ts";

type Options = Runs.RecordingsOptions;
type Run = (runs: typeof Runs, loaded: LoadedConfig, id: string, options: Options) => Promise<number>;

/** Adds `recordings list`, `verify`, `repair`, `export` and `delete`: they need the data folder, and no homeserver. */
export function addRecordingsCommand(program: Command): void {
  const recordings = program
    .command("recordings")
    .description(
      "Look after the recordings on disk: list, verify, repair, export, delete. Needs neither the homeserver nor an account.",
    );
  const add = (command: Command, run: Run): Command =>
    withLoadedConfig(command, async (loaded, ran) => {
      const runs = await import("./recordings-run.ts");
      return run(runs, loaded, ran.args[0] ?? "", ran.opts<Options>());
    });
  const id = "[id]";
  add(
    recordings
      .command("list")
      .description("List all recordings, oldest first. A bot may run meanwhile.")
      .option("--json", "print one JSON document"),
    (runs, loaded, _, options) => runs.list(loaded, options),
  );
  add(
    recordings
      .command("verify")
      .argument(id, "the recording, or the beginning of its id; default: all")
      .description(
        "Read every record of a recording, or of all, and say what is wrong. Changes nothing; a bot may run meanwhile. Exit code 0 when all is whole, 1 when something is damaged and of use all the same, 65 when nothing of it can be read.",
      )
      .option("--json", "print one JSON document"),
    (runs, loaded, id, options) => runs.verify(loaded, id, options),
  );
  add(
    recordings
      .command("repair")
      .argument("<id>", "the recording, or the beginning of its id")
      .description(
        "Cut what cannot be read, bring back what is whole behind it, make a lost journal anew, give the recording an end. The bot must not run.",
      )
      .option("--keep-damaged", "leave copies of the files that are changed in its folder damaged/"),
    (runs, loaded, id, options) => runs.repair(loaded, id, options),
  );
  add(
    recordings
      .command("export")
      .argument("<id>", "the recording, or the beginning of its id")
      .description(
        "Make the tracks, the mixes and the report of a recording in a folder of their own. A bot may run meanwhile.",
      )
      .addOption(
        new Option("--format <format>", "of the tracks").choices(["opus", "flac", "wav"]).default("opus"),
      )
      .option("--zip", "a zip with everything, too")
      .option("--output <dir>", "a folder that is new or empty (default: one of the recording's id, here)")
      .addOption(
        new Option("--language <language>", "of names and texts").choices(["en", "de"]).default("en"),
      ),
    (runs, loaded, id, options) => runs.exportOne(loaded, id, options),
  );
  add(
    recordings
      .command("delete")
      .argument("<id>", "the recording, or the beginning of its id")
      .description(
        "Delete a recording from this disk, after asking. What was sent to the room stays there. The bot must not run.",
      )
      .option("--yes", "do not ask"),
    (runs, loaded, id, options) => runs.remove(loaded, id, options),
  );
}
