import { setPriority } from "node:os";
import { z } from "zod";
import { messageOf } from "../base/errors.ts";
import type { Log, LogEvent, LogFields, LogLevel } from "../base/log.ts";
import { systemClock } from "../base/system-clock.ts";
import { createPlaneCore } from "./core.ts";
import { loadEngine } from "./engine-choice.ts";
import { toChildSchema, type FromChild } from "./envelope.ts";
import type { PlaneEvent } from "./messages.ts";
import { toWireError } from "./plane-error.ts";

/*
 * The media child: forked by the supervisor with one argument (JSON, below). It lives as long as its pipe to the
 * control process; when that closes, for whatever reason, it closes its files and ends.
 */
export const childOptionsSchema = z.object({
  /** URLs of modules that make an engine, see EngineModule: the first that loads is used. */
  engines: z.array(z.string()).min(1),
  ffmpegPath: z.string().nullable(),
  /** Where people may send it, see FetchPolicy. */
  fetchPolicy: z.object({ allowHttp: z.boolean(), allow: z.array(z.string()).readonly() }),
});
export type ChildOptions = z.infer<typeof childOptionsSchema>;

const CLOSE_WITHIN_MS = 2_000;
/** Messages on their way beyond this mean that the control process is slow. */
const MAX_IN_FLIGHT = 64;

/** Sends to the control process. While that is slow, of positions and levels only the newest is kept. */
class Uplink {
  readonly #waiting = new Map<string, FromChild>();
  #inFlight = 0;

  send(message: FromChild): void {
    if (!process.connected) return;
    this.#inFlight++;
    process.send?.(message, undefined, undefined, () => {
      this.#inFlight--;
      this.#drain();
    });
  }

  event(event: PlaneEvent): void {
    const message: FromChild = { type: "event", event };
    const latestWins = event.kind === "track.position" || event.kind === "levels";
    const key = latestWins ? `${event.kind} ${event.channel}` : null;
    if (key !== null && this.#inFlight >= MAX_IN_FLIGHT) this.#waiting.set(key, message);
    else this.send(message);
  }

  #drain(): void {
    if (this.#inFlight >= MAX_IN_FLIGHT) return;
    const next = this.#waiting.entries().next();
    if (next.done) return;
    this.#waiting.delete(next.value[0]);
    this.send(next.value[1]);
  }
}

const uplink = new Uplink();

/** Log lines are written by the control process, which owns standard output. */
function remoteLog(bound: LogFields): Log {
  const line = (level: LogLevel, event: LogEvent, fields: LogFields = {}): void => {
    const plain: Record<string, unknown> = {};
    for (const [name, value] of Object.entries({ ...bound, ...fields }))
      plain[name] = value instanceof Error ? (value.stack ?? value.message) : value;
    uplink.send({ type: "log", level, event, fields: plain });
  };
  return {
    debug: (event, fields) => line("debug", event, fields),
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
    error: (event, fields) => line("error", event, fields),
    child: (fields) => remoteLog({ ...bound, ...fields }),
  };
}

/** Ahead of everything else on a busy machine, where we are allowed to (root, CAP_SYS_NICE). */
const PRIORITY = -10;

function hurry(): void {
  try {
    setPriority(PRIORITY);
  } catch {
    // An ordinary user may not; then sound depends on the machine not being overloaded.
  }
}

async function main(): Promise<void> {
  hurry();
  const options = childOptionsSchema.parse(JSON.parse(process.argv[2] ?? "null"));
  const log = remoteLog({});
  // Ctrl-C goes to the whole process group: the control process decides when we end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const engine = await loadEngine(options.engines, { clock: systemClock, log });
  const core = createPlaneCore({
    engine,
    clock: systemClock,
    log,
    ffmpegPath: options.ffmpegPath,
    fetchPolicy: options.fetchPolicy,
    onEvent: (event) => uplink.event(event),
  });

  /** Of what takes its time, by request. */
  const cancels = new Map<number, AbortController>();
  process.on("message", (raw) => {
    const message = toChildSchema.safeParse(raw);
    if (!message.success) {
      log.warn("media_message_invalid", { problem: z.prettifyError(message.error).slice(0, 500) });
      return;
    }
    const { id } = message.data;
    if ("cancel" in message.data) {
      cancels.get(id)?.abort();
      return;
    }
    const { request } = message.data;
    const cancel = new AbortController();
    if (request.kind === "fetch.file") cancels.set(id, cancel);
    core
      .handle(request, cancel.signal)
      .then(
        (result) => uplink.send({ type: "result", id, result }),
        (error: unknown) => uplink.send({ type: "error", id, ...toWireError(error) }),
      )
      .finally(() => cancels.delete(id));
  });

  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    // A native engine may crash at a natural end, so we leave by ourselves.
    setTimeout(() => process.exit(code), CLOSE_WITHIN_MS);
    void core.close().finally(() => process.exit(code));
  };
  process.on("disconnect", () => end(0));
  process.on("uncaughtException", (error) => {
    log.error("fatal", { error });
    process.stderr.write(`${error.stack ?? messageOf(error)}\n`);
    end(1);
  });
  uplink.send({ type: "ready", engine: engine.name });
  if (!process.connected) end(0);
}

await main();
