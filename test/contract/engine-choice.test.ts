// Which engine a media child takes, on machines where not all of them load.
import { silentLog } from "../../src/base/log.ts";
import type { LogEvent, LogFields } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { enginesFor } from "../../src/media/engine-choice.ts";
import type { EnginePolicy } from "../../src/media/engine-choice.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";

const hook = new URL("../support/unloadable.ts", import.meta.url).href;
const { NODE_OPTIONS: before } = process.env;
afterEach(() => {
  delete process.env["UNLOADABLE"];
  if (before === undefined) delete process.env["NODE_OPTIONS"];
  else process.env["NODE_OPTIONS"] = before;
});

interface Outcome {
  /** Null: no child came up. */
  engine: string | null;
  unusable: unknown[];
}

async function start(policy: EnginePolicy, unloadable: string): Promise<Outcome> {
  process.env["UNLOADABLE"] = unloadable;
  process.env["NODE_OPTIONS"] = `--import ${hook}`;
  const lines: [LogEvent, LogFields | undefined][] = [];
  const log = {
    ...silentLog,
    warn: (event: LogEvent, fields?: LogFields) => void lines.push([event, fields]),
  };
  const plane = new SupervisedPlane({
    ...{ clock: systemClock, log, ffmpegPath: null },
    engines: enginesFor(policy),
  });
  try {
    await plane.request({ kind: "ping" }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "media_plane_down" });
    });
    const unusable = lines
      .filter(([event]) => event === "engine_unusable")
      .map(([, fields]) => fields?.["module"]);
    return { engine: plane.engine, unusable };
  } finally {
    await plane.close();
  }
}

test.each<[EnginePolicy, string, string | null, string[]]>([
  ["auto", "", "libdatachannel", []],
  ["auto", "libdatachannel", "wrtc", ["libdatachannel"]],
  ["auto", "wrtc", "libdatachannel", []],
  ["auto", "libdatachannel,wrtc", null, ["libdatachannel", "wrtc"]],
  ["libdatachannel", "libdatachannel", null, ["libdatachannel"]],
  ["wrtc", "", "wrtc", []],
  ["wrtc", "wrtc", null, ["wrtc"]],
])("%s where not loadable are: %p", async (policy, unloadable, engine, unusable) => {
  expect(await start(policy, unloadable)).toEqual({ engine, unusable });
});
