import type { ListenerLoss } from "./audio/adaptation.ts";
import { VoiceMeter } from "./audio/voice-meter.ts";
import { BotError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { ConnectionEvents, Engine, EngineConnection, EngineOutput } from "./engine/engine.ts";
import type { ReceivedAudio, SenderClock } from "./engine/engine.ts";
import type { IceSettings, PeerState, PeerStats } from "./messages.ts";

export interface PeersEvents {
  onState(peer: string, state: PeerState): void;
  onCandidate(peer: string, candidate: string, mid: string): void;
  onAudio(peer: string, audio: ReceivedAudio): void;
  onSenderClock(peer: string, clock: SenderClock): void;
}

export interface PeersOptions {
  engine: Engine;
  output: EngineOutput;
  clock: Clock;
  ice: IceSettings;
  candidateAllowed: (candidate: string) => boolean;
  events: PeersEvents;
}

/** Candidates kept for a connection whose remote description is not there yet. */
const MAX_EARLY_CANDIDATES = 64;

interface Peer {
  connection: EngineConnection;
  readonly voice: VoiceMeter;
  state: PeerState;
  /** Remote candidates until the remote description is set; null from then on. */
  early: { candidate: string; mid: string | null }[] | null;
}

/** The connections of one channel, one per peer; a new offer of either side replaces the former one. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<string, Peer>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#peers.size;
  }

  /** That sound goes to now, even if nothing is heard of the other side for a moment. */
  connected(key: string): EngineConnection | null {
    const peer = this.#peers.get(key);
    return peer && (peer.state === "connected" || peer.state === "disconnected") ? peer.connection : null;
  }

  /** For connections made from now on. */
  configure(ice: IceSettings, candidateAllowed: (candidate: string) => boolean): void {
    this.#options.ice = ice;
    this.#options.candidateAllowed = candidateAllowed;
  }

  async offer(key: string): Promise<string> {
    const peer = this.#create(key);
    return this.#guarded(key, peer, () => peer.connection.createOffer());
  }

  async answer(key: string, offer: string): Promise<string> {
    const known = this.#peers.get(key);
    const restarting = known?.connection.restart(offer) ?? null;
    if (restarting) {
      const answer = await restarting;
      if (this.#peers.get(key) !== known)
        throw new BotError("cancelled", `the connection to ${key} was replaced or closed meanwhile`);
      if (answer !== null) return answer;
    }
    const peer = this.#create(key);
    const answer = await this.#guarded(key, peer, () => peer.connection.createAnswer(offer));
    flushEarly(peer);
    return answer;
  }

  answerSent(key: string): void {
    this.#get(key).connection.answerSent();
  }

  async accept(key: string, answer: string): Promise<void> {
    const peer = this.#get(key);
    await peer.connection.acceptAnswer(answer);
    flushEarly(peer);
  }

  candidate(key: string, candidate: string, mid: string | null): void {
    const peer = this.#get(key);
    if (!peer.early) peer.connection.addCandidate(candidate, mid);
    else if (peer.early.length < MAX_EARLY_CANDIDATES) peer.early.push({ candidate, mid });
  }

  /** Without a state event; idempotent. */
  close(key: string): void {
    const peer = this.#peers.get(key);
    this.#peers.delete(key);
    peer?.connection.close();
  }

  closeAll(): void {
    for (const key of this.#peers.keys()) this.close(key);
  }

  stats(): PeerStats[] {
    const now = this.#options.clock.now();
    return [...this.#peers].map(([peer, { connection, state, voice }]) => {
      const { lastHeardAtMs, reportedAtMs, redundancy = null, ...stats } = connection.stats();
      const age = (atMs: number | null): number | null => (atMs === null ? null : Math.max(0, now - atMs));
      const ages = { lastHeardMs: age(lastHeardAtMs), reportAgeMs: age(reportedAtMs) };
      return { peer, state, ...stats, redundancy, ...ages, voice: voice.read(now) };
    });
  }

  /** For each connection over which one is known, in ms. */
  *roundTrips(): Iterable<readonly [peer: string, ms: number]> {
    for (const [peer, { connection, state }] of this.#peers) {
      const { roundTripMs } = connection.stats();
      if (state === "connected" && roundTripMs !== null) yield [peer, roundTripMs];
    }
  }

  /** Of those who are connected. */
  losses(): ListenerLoss[] {
    const connected = [...this.#peers.values()].filter(({ state }) => state === "connected");
    return connected.map(({ connection }) => {
      const { lossRecently, redundancy = null } = connection.stats();
      return { loss: lossRecently, redundancy };
    });
  }

  #get(key: string): Peer {
    const peer = this.#peers.get(key);
    if (!peer) throw new BotError("not_found", `there is no peer ${key}`);
    return peer;
  }

  #create(key: string): Peer {
    this.close(key);
    const { engine, output, ice, candidateAllowed, events } = this.#options;
    let created: Peer | null = null;
    const current = (): boolean => created !== null && this.#peers.get(key) === created;
    const handlers: ConnectionEvents = {
      onState: (state) => {
        if (!current()) return;
        if (created) created.state = state;
        if (state === "closed" || state === "failed") this.close(key);
        events.onState(key, state);
      },
      onCandidate: (candidate, mid) => {
        if (current()) events.onCandidate(key, candidate, mid);
      },
      onAudio: (audio) => {
        if (!current()) return;
        created?.voice.take(audio);
        events.onAudio(key, audio);
      },
      onSenderClock: (clock) => {
        if (current()) events.onSenderClock(key, clock);
      },
    };
    created = {
      state: "connecting",
      early: [],
      voice: new VoiceMeter(),
      connection: engine.createConnection(
        {
          label: key,
          output,
          ice,
          candidateAllowed,
        },
        handlers,
      ),
    };
    this.#peers.set(key, created);
    return created;
  }

  /** A connection that could not be described is closed; one that was replaced meanwhile does not answer any more. */
  async #guarded(key: string, peer: Peer, describe: () => Promise<string>): Promise<string> {
    try {
      const sdp = await describe();
      if (this.#peers.get(key) !== peer)
        throw new BotError("cancelled", `the connection to ${key} was replaced or closed meanwhile`);
      return sdp;
    } catch (error) {
      if (this.#peers.get(key) === peer) this.close(key);
      throw error;
    }
  }
}

function flushEarly(peer: Peer): void {
  const early = peer.early ?? [];
  peer.early = null;
  for (const { candidate, mid } of early) peer.connection.addCandidate(candidate, mid);
}
