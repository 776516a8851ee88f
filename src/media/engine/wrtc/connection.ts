import { BotError, messageOf } from "../../../base/errors.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { PeerState } from "../../messages.ts";
import { Checks } from "../checks.ts";
import type { ConnectionEvents, ConnectionOptions, ConnectionStats, EngineConnection } from "../engine.ts";
import { cancelled, noFreePort, refused } from "../errors.ts";
import { RemoteCandidates } from "../remote-candidates.ts";
import * as sdpWrite from "../sdp-write.ts";
import * as sdp from "../sdp.ts";
import { Description } from "./description.ts";
import type { Described } from "./description.ts";
import { ConnectionFigures } from "./figures.ts";
import { NativeSink } from "./library.ts";
import type { NativeTrack } from "./library.ts";
import { closePeer, restartOf, openPeer, step } from "./open.ts";
import type { Open } from "./open.ts";
import { MAX_BITRATE } from "./output.ts";
import type { Output, Switchable } from "./output.ts";
import { Receiver } from "./receiver.ts";

export interface ConnectionParts {
  clock: Clock;
  log: Log;
  output: Output;
  onClosed: (connection: Connection) => void;
  /** No port of the range was free. */
  onNoPort: () => void;
  /** There are TURN servers, and none of them relays. */
  onNoRelay: () => void;
}

type State = { kind: "new" } | Open | { kind: "closed" };

/** One libwebrtc peer connection, made for one negotiation. */
export class Connection implements EngineConnection, Switchable {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #parts: ConnectionParts;
  readonly #remoteCandidates: RemoteCandidates;
  readonly #checks: Checks;
  readonly #figures: ConnectionFigures;
  readonly #receiver: Receiver;
  #state: State = { kind: "new" };
  #peerState: PeerState | null = null;
  #asking = false;

  constructor(options: ConnectionOptions, events: ConnectionEvents, parts: ConnectionParts) {
    this.#options = options;
    this.#events = events;
    this.#parts = parts;
    this.#remoteCandidates = new RemoteCandidates(options.label, options.candidateAllowed, parts.log);
    this.#checks = new Checks(parts.clock, this.#remoteCandidates);
    this.#figures = new ConnectionFigures(this.#remoteCandidates);
    this.#receiver = new Receiver((audio) => events.onAudio(audio));
  }

  async createOffer(): Promise<string> {
    const open = this.#open();
    try {
      this.#addTrack(open);
      await step(open, async (peer) => peer.setLocalDescription(await peer.createOffer()));
      const described = await this.#described(open, "actpass");
      return sdpWrite.writeOffer(described.transport, this.#stream(described));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async createAnswer(offer: string): Promise<string> {
    const remote = sdp.readOffer(offer);
    const open = this.#open();
    try {
      // The library is stricter than we are about a few things, such as the alphabet of ICE.
      await this.#setRemote(open, remote, "offer").catch((cause: unknown) => {
        this.close();
        throw refused("offer", cause);
      });
      this.#addTrack(open);
      return await this.#answer(open, remote);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  restart(offer: string): Promise<string | null> | null {
    const open = this.#state;
    const works = this.#peerState === "connected" || this.#peerState === "disconnected";
    if (open.kind !== "open" || !open.remote || !works) return null;
    const remote = restartOf(offer, open.remote);
    return remote && this.#restart(open, remote);
  }

  async #restart(open: Open, remote: sdp.RemoteAudio): Promise<string | null> {
    try {
      open.description = new Description(this.#options.ice, this.#parts.clock);
      await this.#setRemote(open, remote, "offer");
      this.#checks.start();
      const answer = await this.#answer(open, remote);
      // It may never have been broken; whoever asked waits for it to be connected all the same.
      this.#emit("connecting");
      return answer;
    } catch (error) {
      this.#parts.log.debug("engine_error", { what: "restart", peer: this.#options.label, error });
      return null;
    }
  }

  async #answer(open: Open, remote: sdp.RemoteAudio): Promise<string> {
    await step(open, async (peer) => peer.setLocalDescription(await peer.createAnswer()));
    const described = await this.#described(open, "active");
    return sdpWrite.writeAnswer(remote, described.transport, this.#stream(described));
  }

  async acceptAnswer(answer: string): Promise<void> {
    const remote = sdp.readAnswer(answer);
    const state = this.#state;
    if (state.kind !== "open" || !state.description.described || state.remote)
      throw new BotError("engine_failed", "there is no offer of this connection to be answered");
    // The library knows the section by our name for it.
    const named = { ...remote, sections: [{ ...remote.sections[0]!, mid: sdpWrite.OFFERED_MID }] };
    try {
      await this.#setRemote(state, named, "answer");
      this.#checks.start();
    } catch (cause) {
      throw refused("answer", cause);
    }
  }

  answerSent(): void {
    this.#checks.answered();
  }

  addCandidate(candidate: string, _mid: string | null): void {
    if (this.#state.kind !== "closed") this.#remoteCandidates.add(candidate);
  }

  stats(): ConnectionStats {
    return this.#figures.read(this.#parts.clock.now(), this.#state.kind === "open");
  }

  /** Its encoder is the same, whatever it is given: the other side notices no change of streams. */
  sendTrack(track: NativeTrack): void {
    if (this.#state.kind !== "open") return;
    const [sender] = this.#state.peer.getSenders();
    sender?.replaceTrack(track).catch((error: unknown) => {
      this.#parts.log.debug("engine_error", { what: "replaceTrack", peer: this.#options.label, error });
    });
  }

  /** Called about once a second: asks the library for its figures, and whether the other side is still there. */
  tick(): void {
    const state = this.#state;
    if (state.kind !== "open") return;
    // Not every change of state is told: DTLS may fail in silence.
    this.#look(state);
    if (this.#asking || this.#state !== state || this.#peerState === null) return;
    this.#asking = true;
    void this.#count(state);
  }

  async #count(open: Open): Promise<void> {
    const { clock, log } = this.#parts;
    try {
      const reports = await step(open, (peer) => peer.getStats());
      this.#receiver.arriving = this.#figures.take(clock.now(), clock.wall(), reports.values());
    } catch (error) {
      if (this.#state === open) log.error("engine_error", { what: "getStats", error });
    } finally {
      this.#asking = false;
    }
  }

  #open(): Open {
    if (this.#state.kind !== "new")
      throw new BotError("engine_failed", "a connection is made for one negotiation");
    const open = openPeer(this.#options.ice, this.#parts.clock, {
      onCandidate: (line, mid) => this.#guarded(open, () => this.#onLocalCandidate(open, line, mid)),
      onChange: () => this.#guarded(open, () => this.#look(open)),
      onTrack: (track) => this.#guarded(open, () => this.#listen(open, track)),
    });
    this.#state = open;
    return open;
  }

  #addTrack({ peer }: Open): void {
    const { source } = this.#parts.output;
    peer.addTrack(source.track, source.stream);
  }

  #listen(open: Open, track: MediaStreamTrack): void {
    if (open.sink) return;
    const { clock } = this.#parts;
    open.sink = new NativeSink(track, (data) =>
      this.#guarded(open, () => this.#receiver.take(data, clock.now())),
    );
  }

  async #setRemote(open: Open, remote: sdp.RemoteAudio, type: "offer" | "answer"): Promise<void> {
    const before = open.remote;
    open.remote = remote;
    const { bitrate } = this.#parts.output;
    const text = sdpWrite.writeForLibrary(remote, { direction: remote.direction, bitrate });
    try {
      await step(open, (peer) => peer.setRemoteDescription({ type, sdp: text }));
    } catch (error) {
      open.remote = before;
      throw error;
    }
    const mid = sdpWrite.libraryMid(remote);
    this.#checks.described(remote.transport.candidates, (candidate) => this.#give(open, candidate, mid));
  }

  #give({ peer }: Open, candidate: string, sdpMid: string): void {
    peer
      .addIceCandidate({ candidate, sdpMid, sdpMLineIndex: 0 })
      .catch((error: unknown) =>
        this.#parts.log.debug("candidate_refused", { peer: this.#options.label, reason: messageOf(error) }),
      );
  }

  async #described(open: Open, setup: sdp.Setup): Promise<Described> {
    const described = await open.description.describe(() => (this.#state === open ? open.peer : null), setup);
    if (!described) throw cancelled();
    if (described.transport.candidates.length === 0 && this.#options.ice.portRange) {
      this.#parts.onNoPort();
      throw noFreePort();
    }
    if (open.description.wantsRelay && !described.relayed) this.#parts.onNoRelay();
    return described;
  }

  #stream({ ssrc }: Described): sdpWrite.LocalStream {
    const { cname, msid } = this.#parts.output;
    return { ssrc, cname, msid, maxBitrate: MAX_BITRATE };
  }

  #failed(error: unknown): BotError {
    this.close();
    if (error instanceof BotError) return error;
    return new BotError("engine_failed", messageOf(error), { cause: error });
  }

  #onLocalCandidate(open: Open, line: string, mid: string | null): void {
    for (const candidate of open.description.found(line))
      this.#events.onCandidate(candidate, mid ?? sdpWrite.OFFERED_MID);
  }

  /** What the library's states come to. */
  #look(open: Open): void {
    const { connectionState } = open.peer;
    if (this.#peerState !== null) open.dtls ??= open.peer.getSenders()[0]?.transport ?? null;
    if (connectionState === "connecting") {
      if (this.#peerState === null) this.#emit("connecting");
    } else if (open.dtls?.state === "closed") this.#end("closed");
    else if (connectionState === "failed") this.#end("failed");
    else if (connectionState === "disconnected") this.#emit("disconnected");
    else if (connectionState === "connected") {
      if (this.#peerState === null) this.#emit("connecting");
      this.#emit("connected");
    }
  }

  #emit(state: PeerState): void {
    if (this.#peerState === state || this.#state.kind !== "open") return;
    this.#peerState = state;
    this.#events.onState(state);
  }

  #end(state: "failed" | "closed"): void {
    // First closed, then told: whoever hears it may make a new connection or call close() at once.
    this.close();
    this.#events.onState(state);
  }

  #guarded(open: Open, run: () => void): void {
    if (this.#state !== open) return;
    try {
      run();
    } catch (error) {
      this.#parts.log.error("engine_error", { peer: this.#options.label, error });
    }
  }

  close(): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    this.#state = { kind: "closed" };
    this.#parts.output.forget(this);
    this.#checks.close();
    if (state.kind === "open") {
      state.abandoned.reject(cancelled());
      closePeer(state);
    }
    this.#parts.onClosed(this);
  }
}
