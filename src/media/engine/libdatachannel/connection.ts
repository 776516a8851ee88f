import { BotError, messageOf, toBotError } from "../../../base/errors.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { PeerState } from "../../messages.ts";
import type { ConnectionEvents, ConnectionOptions, ConnectionStats, EngineConnection } from "../engine.ts";
import * as sdpWrite from "../sdp-write.ts";
import * as sdp from "../sdp.ts";
import { ConnectionFigures } from "./connection-figures.ts";
import { Checks } from "../checks.ts";
import { Liveness } from "./liveness.ts";
import { Gathering } from "./gathering.ts";
import { Native } from "./library.ts";
import { RemoteCandidates } from "../remote-candidates.ts";
import type { Listener, NtpClock, Output } from "./output.ts";
import { Receiver } from "./receiver.ts";
import { Sending } from "./sending.ts";

export interface ConnectionParts {
  clock: Clock;
  ntp: NtpClock;
  log: Log;
  output: Output;
  onClosed: (connection: Connection) => void;
  /** See `GatheringParts`. */
  onNoPort: () => void;
  onNoRelay: () => void;
}

/** What the connection has of the library: nothing, a negotiation under way, or nothing any more. */
type State =
  | { kind: "new" }
  | {
      kind: "open";
      native: Native;
      gathering: Gathering;
      receiver: Receiver | null; // null until the other side is described
    }
  | { kind: "closed" };

/** One libdatachannel peer connection, made for one negotiation. */
export class Connection implements EngineConnection, Listener {
  readonly sending = new Sending();
  readonly restart = (): null => null; // the library has none
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #parts: ConnectionParts;
  readonly #remoteCandidates: RemoteCandidates;
  readonly #checks: Checks;
  #state: State = { kind: "new" };
  #peerState: PeerState | null = null;
  #trackOpen = false;
  #libraryConnected = false;
  #sends = true;
  readonly #figures: ConnectionFigures;
  readonly #liveness = new Liveness();

  constructor(options: ConnectionOptions, events: ConnectionEvents, parts: ConnectionParts) {
    this.#options = options;
    this.#events = events;
    this.#parts = parts;
    this.#remoteCandidates = new RemoteCandidates(options.label, options.candidateAllowed, parts.log);
    this.#checks = new Checks(parts.clock, this.#remoteCandidates);
    this.#figures = new ConnectionFigures(this.#remoteCandidates);
  }

  async createOffer(): Promise<string> {
    const open = this.#open();
    try {
      open.native.addAudio(sdpWrite.OFFERED_MID, sdpWrite.OFFERED_PAYLOAD_TYPE, this.#parts.output.stream);
      await this.#take(open, () => open.native.offer());
      const transport = await this.#described(open, "actpass");
      return sdpWrite.writeOffer(transport, this.#parts.output.stream);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async createAnswer(offer: string): Promise<string> {
    const remote = sdp.readOffer(offer);
    const open = this.#open();
    try {
      open.native.addAudio(sdpWrite.libraryMid(remote), remote.payloadType, this.#parts.output.stream);
      await this.#take(open, () => this.#setRemote(open, remote, "offer", remote));
      const transport = await this.#described(
        open,
        remote.transport.setup === "active" ? "passive" : "active",
      );
      return sdpWrite.writeAnswer(remote, transport, this.#parts.output.stream);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async acceptAnswer(answer: string): Promise<void> {
    const { maxBitrate } = this.#parts.output.stream;
    const remote = sdp.readAnswer(answer, sdpWrite.opusParameters(maxBitrate));
    const state = this.#state;
    if (state.kind !== "open" || !state.gathering.described || state.receiver)
      throw new BotError("engine_failed", "there is no offer of this connection to be answered");
    // The library knows the section by our name for it; a level extension that we offered keeps its number.
    const named = { ...remote, sections: [{ ...remote.sections[0]!, mid: sdpWrite.OFFERED_MID }] };
    try {
      this.#setRemote(state, named, "answer", sdpWrite.OFFERED_TYPES);
      this.#checks.start();
    } catch (cause) {
      throw new BotError("bad_sdp", `the library refused the answer: ${messageOf(cause)}`, { cause });
    }
  }

  answerSent(): void {
    this.#checks.answered();
  }

  addCandidate(candidate: string, _mid: string | null): void {
    if (this.#state.kind !== "closed") this.#remoteCandidates.add(candidate);
  }

  stats(): ConnectionStats {
    const open = this.#state.kind === "open" ? this.#state : null;
    const way = this.#libraryConnected ? (open?.native.way() ?? null) : null;
    const figures = this.#figures.read(this.#parts.clock.now(), open?.receiver ?? undefined, way);
    return { ...figures, redundancy: this.sending.redundancy, lastHeardAtMs: this.#liveness.lastHeardAtMs };
  }

  close(): void {
    this.#close(true);
  }

  /** Called by the output for each frame. */
  send(packet: Buffer): void {
    const state = this.#state;
    if (state.kind !== "open") return;
    try {
      state.native.send(packet);
      this.#figures.sent(packet);
    } catch {
      // The track closed under us; its state change is on its way.
      this.#parts.output.detach(this);
    }
  }

  /** Called about once a second: suspicion and reports. */
  tick(nowMs: number): void {
    if (this.#peerState !== "connected" && this.#peerState !== "disconnected") return;
    if (this.#peerState === "connected" && this.#liveness.suspect(nowMs)) this.#emit("disconnected");
    if (this.#liveness.reportDue(nowMs)) this.#report(nowMs, false);
    if (this.#state.kind !== "open") return;
    this.#figures.tick(nowMs, this.#state.receiver ?? undefined);
    this.sending.tick(nowMs, this.#state.receiver?.loss);
  }

  #open(): Extract<State, { kind: "open" }> {
    if (this.#state.kind !== "new")
      throw new BotError("engine_failed", "a connection is made for one negotiation");
    const { label, ice } = this.#options;
    const { clock, onNoPort, onNoRelay } = this.#parts;
    const gathering = new Gathering({ ice, clock, onNoPort, onNoRelay });
    try {
      const native = new Native(label, ice, {
        onState: (state) => this.#onLibraryState(state),
        onGathered: () => gathering.complete(),
        onCandidate: (candidate, mid) => this.#onLocalCandidate(candidate, mid),
        onOpen: () => this.#onOpen(),
        onMessage: (packet) => this.#onMessage(packet),
        onError: (error) => this.#parts.log.error("engine_error", { peer: label, error }),
      });
      this.#state = { kind: "open", native, gathering, receiver: null };
      return this.#state;
    } catch (cause) {
      throw new BotError("engine_failed", `no connection: ${messageOf(cause)}`, { cause });
    }
  }

  /** Runs what makes the library take a port, unless we were closed meanwhile. */
  #take(open: Extract<State, { kind: "open" }>, begin: () => void): Promise<void> {
    return open.gathering.begin(() => {
      if (this.#state === open) begin();
    });
  }

  #setRemote(
    open: Extract<State, { kind: "open" }>,
    remote: sdp.RemoteAudio,
    type: "offer" | "answer",
    receive: Pick<sdp.RemoteAudio, "payloadType" | "redPayloadType">,
  ): void {
    const direction = sdpWrite.reverse(remote.direction);
    this.#sends = direction === "sendrecv" || direction === "sendonly";
    this.sending.negotiated(remote);
    open.native.setRemote(sdpWrite.writeForLibrary(remote), type);
    const receiver = new Receiver({
      payloadType: receive.payloadType,
      redPayloadType: receive.redPayloadType,
      levelExtension: remote.levelExtension,
      declared: remote.ssrcs,
      ownSsrc: this.#parts.output.stream.ssrc,
      onGoodbye: () => this.#end("closed"),
      onFlood: () => {
        this.#parts.log.warn("peer_flooded", { peer: this.#options.label });
        this.#end("failed");
      },
      firstSent: () => this.#figures.firstSent,
      ntpNow: () => this.#parts.ntp.now(),
      events: this.#events,
    });
    open.receiver = receiver;
    const mid = sdpWrite.libraryMid(remote);
    this.#checks.described(remote.transport.candidates, (one) => open.native.addCandidate(one, mid));
  }

  #described(open: Extract<State, { kind: "open" }>, setup: sdp.Setup): Promise<sdp.Transport> {
    return open.gathering.describe(() => (this.#state === open ? open.native.localSdp() : null), setup);
  }

  #failed(error: unknown): BotError {
    this.#close(false);
    if (error instanceof BotError && error.code !== "bad_sdp") return error;
    return new BotError("engine_failed", messageOf(error), {
      cause: error,
      retryable: toBotError(error).retryable,
    });
  }

  #onLocalCandidate(line: string, mid: string): void {
    if (this.#state.kind !== "open") return;
    for (const candidate of this.#state.gathering.found(line)) this.#events.onCandidate(candidate, mid);
  }

  #onLibraryState(state: string): void {
    if (state === "connecting" && this.#peerState === null) this.#emit("connecting");
    else if (state === "connected") {
      this.#libraryConnected = true;
      this.#connected();
    } else if (state === "failed") this.#end("failed");
    // After a goodbye, or when ICE lost the way to a peer that had fallen silent before.
    else if (state === "closed") this.#end(this.#peerState === "disconnected" ? "failed" : "closed");
  }

  #onOpen(): void {
    this.#trackOpen = true;
    this.#connected();
  }

  #connected(): void {
    if (!this.#trackOpen || !this.#libraryConnected || this.#peerState === "connected") return;
    this.#liveness.connected(this.#parts.clock.now());
    if (this.#sends) this.#parts.output.attach(this);
    this.#emit("connected");
  }

  #onMessage(packet: Buffer): void {
    if (this.#state.kind !== "open") return;
    const now = this.#parts.clock.now();
    this.#liveness.heard(now);
    if (this.#peerState === "disconnected") this.#emit("connected");
    this.#state.receiver?.onPacket(packet, now);
  }

  #report(nowMs: number, bye: boolean): void {
    const state = this.#state;
    if (state.kind !== "open" || !state.receiver) return;
    const packet = state.receiver.report(nowMs, {
      sender: this.#sends ? this.#parts.output.senderInfo() : null,
      cname: this.#parts.output.stream.cname,
      sinceMs: this.#liveness.reportedAtMs,
      bye,
    });
    this.#liveness.reportedAtMs = nowMs;
    try {
      state.native.send(packet);
    } catch {
      // Closed under us.
    }
  }

  #emit(state: PeerState): void {
    this.#peerState = state;
    this.#events.onState(state);
  }

  #end(state: "failed" | "closed"): void {
    // First closed, then told: whoever hears it may make a new connection or call close() at once.
    this.#close(false);
    this.#events.onState(state);
  }

  #close(goodbye: boolean): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    this.#parts.output.detach(this);
    if (goodbye && this.#trackOpen) this.#report(this.#parts.clock.now(), true);
    this.#state = { kind: "closed" };
    if (state.kind === "open") {
      state.gathering.complete();
      state.native.close();
    }
    this.#checks.close();
    this.#parts.onClosed(this);
  }
}
