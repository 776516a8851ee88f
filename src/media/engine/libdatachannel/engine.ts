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
import { chooseServers } from "./ice-servers.ts";
import { acquireLibrary, releaseLibrary } from "./library.ts";
import { NtpClock, Output } from "./output.ts";

/** What listeners are told that we can take, in bit/s (RFC 7587 section 6.1). */
const MAX_BITRATE = 128_000;

/** WebRTC by libdatachannel: Opus as it is on the wire, encoded once for all listeners, received without decoding. */
export class LibdatachannelEngine implements Engine {
  readonly name = "libdatachannel";
  readonly audio = "opus";
  readonly hasClock = true;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ntp: NtpClock;
  readonly #outputs = new Set<Output>();
  readonly #connections: Connections<Connection>;
  readonly #lacks: Lacks;
  #closing: Promise<void> | null = null;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#connections = new Connections({ clock, log });
    this.#lacks = new Lacks({ clock, log });
    this.#ntp = new NtpClock(clock);
    acquireLibrary();
  }

  createOutput(): EngineOutput {
    this.#assertOpen();
    const output = new Output(this.#clock, this.#ntp, MAX_BITRATE);
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
      ntp: this.#ntp,
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
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#connections.close();
    for (const output of this.#outputs) output.close();
    this.#outputs.clear();
    await releaseLibrary(this.#clock);
  }

  #assertOpen(): void {
    if (this.#closing) throw new BotError("engine_failed", "the engine is closed");
  }
}
