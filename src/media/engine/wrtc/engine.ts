import { BotError } from "../../../base/errors.ts";
import type { Clock, Timer } from "../../../base/clock.ts";
import type { Log, LogEvent, LogFields } from "../../../base/log.ts";
import type { IceSettings } from "../../messages.ts";
import type {
  ConnectionEvents,
  ConnectionOptions,
  Engine,
  EngineConnection,
  EngineOutput,
} from "../engine.ts";
import { Connection } from "./connection.ts";
import { chooseServers } from "./library.ts";
import { MAX_BITRATE, Output } from "./output.ts";

const TICK_MS = 1000;
/** An operator is told of a lack at most so often, and of so many servers that are not used. */
const TELL_AGAIN_MS = 60_000;
const MAX_TOLD = 100;

/** WebRTC by libwebrtc: PCM in both directions, encoded once for each listener, decoded once for each speaker. */
export class WrtcEngine implements Engine {
  readonly name = "wrtc";
  readonly audio = "pcm";
  readonly hasClock = false;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #outputs = new Set<Output>();
  readonly #connections = new Set<Connection>();
  readonly #told = new Set<string>();
  readonly #toldAtMs = new Map<LogEvent, number>();
  #timer: Timer | null = null;
  #closed = false;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  createOutput(): EngineOutput {
    this.#assertOpen();
    const output = new Output(MAX_BITRATE);
    this.#outputs.add(output);
    return output;
  }

  createConnection(options: ConnectionOptions, events: ConnectionEvents): EngineConnection {
    this.#assertOpen();
    const { output, label, ice } = options;
    if (!(output instanceof Output) || !this.#outputs.has(output) || output.closed)
      throw new BotError("engine_failed", "the output is closed or belongs to another engine");
    for (const other of this.#outputs) if (other.closed) this.#outputs.delete(other);
    this.#tellUnused(ice);
    const connection = new Connection(options, events, {
      clock: this.#clock,
      log: this.#log,
      output,
      onClosed: (closed) => this.#connections.delete(closed),
      onNoPort: () => this.#tellRarely("ice_ports_used_up", { peer: label, range: ice.portRange?.join("-") }),
      onNoRelay: () =>
        this.#tellRarely("turn_no_relay", {
          peer: label,
          servers: ice.servers.map(({ uri }) => uri).filter((uri) => uri.startsWith("turn")),
        }),
    });
    this.#connections.add(connection);
    this.#timer ??= this.#clock.timer(TICK_MS, () => this.#tick());
    return connection;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#timer?.cancel();
      for (const connection of this.#connections) connection.close();
      for (const output of this.#outputs) output.close();
      this.#outputs.clear();
    }
    return Promise.resolve();
  }

  #tick(): void {
    for (const connection of this.#connections) {
      try {
        connection.tick();
      } catch (error) {
        this.#log.error("engine_error", { what: "tick", error });
      }
    }
    // Not a word when nobody is there.
    this.#timer = this.#connections.size > 0 ? this.#clock.timer(TICK_MS, () => this.#tick()) : null;
  }

  #tellUnused({ servers }: IceSettings): void {
    for (const uri of chooseServers(servers).unused) {
      if (this.#told.has(uri) || this.#told.size >= MAX_TOLD) continue;
      this.#told.add(uri);
      this.#log.warn("ice_server_unused", { uri, reason: "it is no STUN or TURN URI" });
    }
  }

  #tellRarely(event: LogEvent, fields: LogFields): void {
    const now = this.#clock.now();
    if (now - (this.#toldAtMs.get(event) ?? -Infinity) < TELL_AGAIN_MS) return;
    this.#toldAtMs.set(event, now);
    this.#log.warn(event, fields);
  }

  #assertOpen(): void {
    if (this.#closed) throw new BotError("engine_failed", "the engine is closed");
  }
}
