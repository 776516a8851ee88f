import type { Clock } from "../base/clock.ts";
import { messageOf, toBotError } from "../base/errors.ts";
import type { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { IceSettings, MediaPlane, PlaneRequest } from "../media/plane.ts";
import { GLARE_FIELD, GLARE_RULE } from "./codec.ts";
import type { ChannelTransport } from "./ports.ts";
import type { ChannelInput, WorkEffect } from "./state.ts";

export interface WorkerDeps {
  channel: string;
  ownKey: string;
  clock: Clock;
  plane: MediaPlane;
  transport: ChannelTransport;
  ice: () => IceSettings;
  bitrate: number;
  log: Log;
}

/**
 * Does on the room and on the media plane what the reducer asks for, and reports what came of it. Requests of one peer
 * reach the plane in the order asked. No promise goes unheard, and nothing is reported after `close()`.
 */
export class ChannelWorker {
  readonly #deps: WorkerDeps;
  readonly #report: (input: ChannelInput) => void;
  /** The channel was asked for on the plane, and not closed since. */
  /** By key, the description on its way to the homeserver. */
  readonly #sending = new Map<string, AbortController>();
  #open = false;
  #openings = 0;
  #closed = false;

  constructor(deps: WorkerDeps, report: (input: ChannelInput) => void) {
    this.#deps = deps;
    this.#report = report;
  }

  run(effect: WorkEffect): void {
    const { channel } = this.#deps;
    switch (effect.do) {
      case "put":
        return this.#put(effect);
      case "send":
        return this.#send(effect);
      case "channel.open":
        return this.#openChannel(effect.openId);
      case "channel.close":
        return this.#closeChannel();
      case "unsend":
        return this.#unsend(effect.key);
      case "peer.offer":
      case "peer.answer":
        return this.#describe(effect);
      case "peer.answered":
        return this.#ask({ kind: "peer.answered", channel, peer: effect.key });
      case "peer.accept": {
        const { key, connection, sdp } = effect;
        return this.#ask({ kind: "peer.accept", channel, peer: key, sdp }, (error) =>
          this.#broken(key, connection, error),
        );
      }
      case "peer.candidate": {
        const { key, candidate, mid } = effect;
        return this.#ask({ kind: "peer.candidate", channel, peer: key, candidate, mid });
      }
      case "peer.close":
        // A description of a connection that is gone is better not sent.
        this.#unsend(effect.key);
        return this.#ask({ kind: "peer.close", channel, peer: effect.key });
    }
  }

  /** Gives the plane the ICE settings of now, for connections to come. */
  refreshIce(): void {
    if (this.#open) this.#ask(this.#opening());
  }

  /** Closes the channel on the plane. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const controller of this.#sending.values()) controller.abort();
    this.#closeChannel();
  }

  #put(effect: Extract<WorkEffect, { do: "put" }>): void {
    const { putId, joinState, priority } = effect;
    const { transport, ownKey, clock, log } = this.#deps;
    const content = { join_state: joinState, timestamp: clock.wall(), [GLARE_FIELD]: GLARE_RULE };
    this.#then(
      () => transport.putMembership(ownKey, content, priority),
      (eventId) => this.#report({ kind: "put.done", putId, joinState, eventId }),
      (error) => {
        log.warn("send_failed", { what: joinState, code: error.code, reason: error.message });
        this.#report({ kind: "put.failed", putId, error });
      },
    );
  }

  #send(effect: Extract<WorkEffect, { do: "send" }>): void {
    const { key, connection, content, priority } = effect;
    const { transport, log } = this.#deps;
    const controller = new AbortController();
    if (connection !== null) this.#sending.set(key, controller);
    const ended = (): void => {
      if (this.#sending.get(key) === controller) this.#sending.delete(key);
    };
    this.#then(
      () => transport.sendSignal(content, priority, controller.signal),
      () => {
        ended();
        if (connection !== null) this.#report({ kind: "sent", key, connection });
      },
      (error) => {
        ended();
        if (error.code !== "cancelled") {
          log.warn("send_failed", { what: priority, peer: key, code: error.code, reason: error.message });
        }
        if (connection !== null) this.#report({ kind: "peer.broken", key, connection, error });
      },
    );
  }

  #unsend(key: string): void {
    this.#sending.get(key)?.abort();
  }

  #openChannel(openId: number): void {
    this.#open = true;
    this.#then(
      () => this.#openOnPlane(),
      () => this.#report({ kind: "open.done", openId }),
      (error) => this.#report({ kind: "open.failed", openId, error }),
    );
  }

  async #openOnPlane(): Promise<void> {
    this.#openings++;
    try {
      await this.#deps.plane.request<"channel.open">(this.#opening());
    } finally {
      this.#openings--;
    }
  }

  /** Asked for in order, so that it also undoes an opening that is under way. A plane that is down has nothing to close. */
  #closeChannel(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#deps.plane.state !== "up" && this.#openings === 0) return;
    this.#ask({ kind: "channel.close", channel: this.#deps.channel });
  }

  #opening(): Extract<PlaneRequest, { kind: "channel.open" }> {
    const { channel, ice, bitrate } = this.#deps;
    return { kind: "channel.open", channel, ice: ice(), bitrate };
  }

  #describe(effect: Extract<WorkEffect, { do: "peer.offer" | "peer.answer" }>): void {
    const { channel, plane } = this.#deps;
    const { key, connection } = effect;
    // It takes the place of a connection whose description nobody needs any more.
    this.#unsend(key);
    this.#then(
      () =>
        effect.do === "peer.offer"
          ? plane.request<"peer.offer">({ kind: "peer.offer", channel, peer: key })
          : plane.request<"peer.answer">({ kind: "peer.answer", channel, peer: key, sdp: effect.sdp }),
      ({ sdp }) => this.#report({ kind: "described", key, connection, sdp }),
      (error) => this.#broken(key, connection, error),
    );
  }

  /** What is asked for without waiting. By default a refusal is only for the log: the connection is given up anyway. */
  #ask(
    request: Extract<
      PlaneRequest,
      {
        kind:
          | "channel.open"
          | "channel.close"
          | "peer.answered"
          | "peer.accept"
          | "peer.candidate"
          | "peer.close";
      }
    >,
    failed: (error: BotError) => void = (error) => this.#unimportant(request.kind, error),
  ): void {
    this.#then(
      () => this.#deps.plane.request(request),
      () => {},
      failed,
    );
  }

  #broken(key: string, connection: number, error: BotError): void {
    // Replaced or closed by ourselves meanwhile.
    if (error.code !== "cancelled") {
      this.#deps.log.info("peer_state", {
        peer: key,
        state: "broken",
        code: error.code,
        reason: error.message,
      });
    }
    this.#report({ kind: "peer.broken", key, connection, error });
  }

  #unimportant(what: string, error: BotError): void {
    this.#deps.log.debug("engine_error", { what, code: error.code, reason: error.message });
  }

  #then<T>(work: () => Promise<T>, done: (value: T) => void, failed: (error: BotError) => void): void {
    const outcome = async (): Promise<void> => {
      let value: T;
      try {
        value = await work();
      } catch (error) {
        if (!this.#closed) failed(toBotError(error));
        return;
      }
      if (!this.#closed) done(value);
    };
    outcome().catch((error: unknown) =>
      this.#deps.log.error("handler_failed", { reason: messageOf(error), error }),
    );
  }
}
