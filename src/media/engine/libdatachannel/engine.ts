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
import { chooseServers } from "./ice-servers.ts";
import { acquireLibrary, releaseLibrary } from "./library.ts";
import { NtpClock, Output } from "./output.ts";

/** What listeners are told that we can take, in bit/s (RFC 7587 section 6.1). */
const MAX_BITRATE = 128_000;
const TICK_MS = 1000;
/** An operator is told of a lack at most so often. */
const TELL_AGAIN_MS = 60_000;
/** And of so many servers that are not used. */
const MAX_TOLD = 100;

/** WebRTC by libdatachannel: Opus as it is on the wire, encoded once for all listeners, received without decoding. */
export class LibdatachannelEngine implements Engine {
  readonly name = "libdatachannel";
  readonly audio = "opus";
  readonly hasClock = true;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ntp: NtpClock;
  readonly #outputs = new Set<Output>();
  readonly #connections = new Set<Connection>();
  /** URIs of servers that were told of. */
  readonly #told = new Set<string>();
  /** When something that goes on was told last. */
  readonly #toldAtMs = new Map<LogEvent, number>();
  #timer: Timer | null = null;
  #closing: Promise<void> | null = null;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
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
    const output = options.output;
    if (!(output instanceof Output) || !this.#outputs.has(output) || output.closed)
      throw new BotError("engine_failed", "the output is closed or belongs to another engine");
    for (const other of this.#outputs) if (other.closed) this.#outputs.delete(other);
    this.#tellUnused(options.ice);
    const connection = new Connection(options, events, {
      clock: this.#clock,
      ntp: this.#ntp,
      log: this.#log,
      output,
      onClosed: (closed) => this.#connections.delete(closed),
      onNoPort: () =>
        this.#tellRarely("ice_ports_used_up", {
          peer: options.label,
          range: options.ice.portRange?.join("-"),
        }),
      onNoRelay: () =>
        this.#tellRarely("turn_no_relay", {
          peer: options.label,
          servers: options.ice.servers.map(({ uri }) => uri).filter((uri) => uri.startsWith("turn")),
        }),
    });
    this.#connections.add(connection);
    this.#timer ??= this.#clock.timer(TICK_MS, () => this.#tick());
    return connection;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    for (const connection of this.#connections) connection.close();
    for (const output of this.#outputs) output.close();
    this.#outputs.clear();
    await releaseLibrary(this.#clock);
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const connection of this.#connections) {
      try {
        connection.tick(now);
      } catch (error) {
        this.#log.error("engine_error", { what: "tick", error });
      }
    }
    // Not a word when nobody is there.
    this.#timer = this.#connections.size > 0 ? this.#clock.timer(TICK_MS, () => this.#tick()) : null;
  }

  #tellUnused({ servers }: IceSettings): void {
    for (const { uri, why } of chooseServers(servers).unused) {
      if (this.#told.has(uri) || this.#told.size >= MAX_TOLD) continue;
      this.#told.add(uri);
      this.#log.warn("ice_server_unused", { uri, reason: why });
    }
  }

  #tellRarely(event: LogEvent, fields: LogFields): void {
    const now = this.#clock.now();
    if (now - (this.#toldAtMs.get(event) ?? -Infinity) < TELL_AGAIN_MS) return;
    this.#toldAtMs.set(event, now);
    this.#log.warn(event, fields);
  }

  #assertOpen(): void {
    if (this.#closing) throw new BotError("engine_failed", "the engine is closed");
  }
}
