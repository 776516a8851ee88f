import { BotError } from "../../../base/errors.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type {
  ConnectionEvents,
  ConnectionOptions,
  Engine,
  EngineConnection,
  EngineOutput,
} from "../engine.ts";
import { Connections } from "../connections.ts";
import { Lacks } from "../lacks.ts";
import { Connection } from "./connection.ts";
import { chooseServers } from "./library.ts";
import { MAX_BITRATE, Output } from "./output.ts";

/** WebRTC by libwebrtc: PCM in both directions, encoded once for each listener, decoded once for each speaker. */
export class WrtcEngine implements Engine {
  readonly name = "wrtc";
  readonly audio = "pcm";
  readonly hasClock = false;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #outputs = new Set<Output>();
  readonly #connections: Connections<Connection>;
  readonly #lacks: Lacks;
  #closed = false;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#connections = new Connections({ clock, log });
    this.#lacks = new Lacks({ clock, log });
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
    this.#lacks.unused(chooseServers(ice.servers).unused);
    const connection = new Connection(options, events, {
      clock: this.#clock,
      log: this.#log,
      output,
      onClosed: (closed) => this.#connections.delete(closed),
      onNoPort: () => this.#lacks.noPort(label, ice),
      onNoRelay: () => this.#lacks.noRelay(label, ice),
    });
    this.#connections.add(connection);
    return connection;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#connections.close();
      for (const output of this.#outputs) output.close();
      this.#outputs.clear();
    }
    return Promise.resolve();
  }

  #assertOpen(): void {
    if (this.#closed) throw new BotError("engine_failed", "the engine is closed");
  }
}
