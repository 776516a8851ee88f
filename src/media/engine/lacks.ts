import type { Clock } from "../../base/clock.ts";
import type { Log, LogEvent, LogFields } from "../../base/log.ts";
import type { IceSettings } from "../messages.ts";

/** An operator is told of a lack at most so often. */
const TELL_AGAIN_MS = 60_000;
/** And of so many servers that are not used. */
const MAX_TOLD = 100;

/** Tells the operator what an engine lacks for reaching others, without repeating it for each connection. */
export class Lacks {
  readonly #clock: Clock;
  readonly #log: Log;
  /** URIs of servers that were told of. */
  readonly #told = new Set<string>();
  /** When something that goes on was told last. */
  readonly #toldAtMs = new Map<LogEvent, number>();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Servers that the library can do nothing with: each once. */
  unused(servers: readonly { uri: string; why: string }[]): void {
    for (const { uri, why } of servers) {
      if (this.#told.has(uri) || this.#told.size >= MAX_TOLD) continue;
      this.#told.add(uri);
      this.#log.warn("ice_server_unused", { uri, reason: why });
    }
  }

  /** No port of the range was free. */
  noPort(peer: string, { portRange }: IceSettings): void {
    this.#tellRarely("ice_ports_used_up", { peer, range: portRange?.join("-") });
  }

  /** There are TURN servers, and none of them relays. */
  noRelay(peer: string, { servers }: IceSettings): void {
    const uris = servers.map(({ uri }) => uri).filter((uri) => uri.startsWith("turn"));
    this.#tellRarely("turn_no_relay", { peer, servers: uris });
  }

  #tellRarely(event: LogEvent, fields: LogFields): void {
    const now = this.#clock.now();
    if (now - (this.#toldAtMs.get(event) ?? -Infinity) < TELL_AGAIN_MS) return;
    this.#toldAtMs.set(event, now);
    this.#log.warn(event, fields);
  }
}
