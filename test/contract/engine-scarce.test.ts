// What the library needs of the machine can be gone: that ends a negotiation, never the process.
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { startProc } from "../support/proc.ts";
import { Party } from "./engine-behaviour.ts";

const program = new URL("../support/hostile/no-descriptors.ts", import.meta.url).pathname;

test.each(["warm", "fresh"])(
  "a %s engine without file descriptors refuses, and works again when there are some",
  async (how) => {
    const engine = createEngine({ clock: systemClock, log: silentLog });
    const offer = await new Party(engine, "a").connection.createOffer();
    await engine.close();
    const proc = await startProc({
      name: how,
      command: "/bin/sh",
      args: ["-c", `ulimit -n 120; exec "$0" "$@"`, process.execPath, program, how],
      env: { NODE_OPTIONS: undefined, OFFER: offer },
    });
    try {
      const exit = await proc.exited;
      expect({ ...exit, output: proc.output }).toMatchObject({ code: 0 });
      const lines = proc.jsonLines();
      const refused = { offered: "engine_failed", answered: "engine_failed" };
      expect(lines.find(({ free }) => free === 0)).toMatchObject(refused);
      expect(lines.find(({ free }) => free === 3)).toMatchObject(refused);
      expect(lines.at(-1)).toEqual({ after: "described" });
    } finally {
      await proc.stop(1000);
    }
  },
);
