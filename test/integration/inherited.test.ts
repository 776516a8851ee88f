// What a program has of ours: the library's sockets are open for heirs, and none of them gets any.
import { execFileSync, spawnSync } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { inheritable, startWithOnly } from "../../src/media/audio/inherited.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { Party } from "../contract/engine-behaviour.ts";

const list = ["-c", "ls -l /proc/self/fd"];
/** Besides standard output and error, which Node makes of sockets. */
const sockets = (listed: string): string[] => listed.match(/ (?:[3-9]|\d\d+) -> socket:.*/g) ?? [];

test("a program that is started while connections are open has none of their sockets", async () => {
  const engine = createEngine({ clock: systemClock, log: silentLog });
  const file = openSync("/etc/hostname", "r");
  try {
    for (const label of ["a", "b", "c"]) await new Party(engine, label).connection.createOffer();
    expect(sockets(execFileSync("sh", list, { encoding: "utf8" })).length).toBeGreaterThanOrEqual(3);
    expect(inheritable().length).toBeGreaterThanOrEqual(3);
    const { stdout } = startWithOnly(["ignore", "pipe", "pipe", file] as const, (stdio) =>
      spawnSync("sh", list, { stdio, encoding: "utf8" }),
    );
    expect(sockets(stdout)).toEqual([]);
    expect(stdout).toMatch(/ 3 -> \/etc\/hostname/);
    // Ours are as they were.
    expect(inheritable().length).toBeGreaterThanOrEqual(3);
  } finally {
    closeSync(file);
    await engine.close();
  }
});
