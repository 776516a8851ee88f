import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { Audio, cleanup, PeerConnection } from "node-datachannel";
import type { RtcConfig, Track } from "node-datachannel";
import type { Clock } from "../../../base/clock.ts";
import { candidateKindSchema } from "../../messages.ts";
import type { CandidateKind, IceSettings } from "../../messages.ts";
import { chooseServers } from "./ice-servers.ts";

/**
 * The part of node-datachannel that is used, and what one has to know to use it safely:
 * - its native objects must not be collected by V8 before the library reported them closed, or its list of tracks keeps a
 *   dangling pointer that `cleanup()` follows: `Native` holds them until then;
 * - an exception in a callback ends the process: `Native` guards each;
 * - `setLocalDescription` ends the process when no port of the range is free, or no file descriptor: `withFreePort` and
 *   `requireDescriptors` look first;
 * - `cleanup()` closes every connection of the process: only the last engine calls it.
 */
/** Kinds of the two candidates in use, and the other side's address and port. */
export interface NativeWay {
  local: CandidateKind;
  remote: CandidateKind;
  address: string;
  port: number;
}

export interface NativeEvents {
  onState(state: string): void;
  onGathered(): void;
  onCandidate(candidate: string, mid: string): void;
  onOpen(): void;
  onMessage(packet: Buffer): void;
  /** An exception of one of the others. */
  onError(error: unknown): void;
}

interface Held {
  peer: PeerConnection;
  track: Track | null;
  /** Native objects that have not reported their end. */
  open: number;
}

const held = new Set<Held>();
let engines = 0;

export function acquireLibrary(): void {
  engines++;
}

/** Waits (bounded) until everything closed has ended, and releases the library when nobody else uses it. */
export async function releaseLibrary(clock: Clock): Promise<void> {
  engines--;
  if (engines > 0) return;
  const deadline = clock.now() + 1000;
  while (held.size > 0 && clock.now() < deadline)
    await new Promise<void>((resolve) => void clock.timer(5, resolve));
  if (engines > 0) return; // another one came meanwhile
  cleanup();
}

/** One native peer connection with one audio track. */
export class Native {
  readonly #held: Held;
  readonly #events: NativeEvents;
  #closed = false;

  /** @throws when the library does not take the settings. */
  constructor(label: string, ice: IceSettings, events: NativeEvents) {
    this.#events = events;
    const peer = new PeerConnection(label, configOf(ice));
    this.#held = { peer, track: null, open: 1 };
    held.add(this.#held);
    peer.onStateChange((state) => {
      this.#guarded(() => events.onState(state));
      if (state === "closed") ended(this.#held);
    });
    peer.onGatheringStateChange((state) => {
      if (state === "complete") this.#guarded(() => events.onGathered());
    });
    peer.onLocalCandidate((candidate, mid) => this.#guarded(() => events.onCandidate(candidate, mid)));
  }

  /** The section of our own description; the descriptions that leave this process are written elsewhere. */
  addAudio(mid: string, payloadType: number, { ssrc, cname }: { ssrc: number; cname: string }): void {
    const audio = new Audio(mid, "SendRecv");
    audio.addOpusCodec(payloadType);
    audio.addSSRC(ssrc, cname);
    const entry = this.#held;
    const track = entry.peer.addTrack(audio);
    entry.track = track;
    entry.open++;
    track.onOpen(() => this.#guarded(() => this.#events.onOpen()));
    track.onClosed(() => ended(entry));
    track.onError(() => undefined); // the state says it
    track.onMessage((packet) => this.#message(packet));
  }

  /** Begins to gather. Make sure of a free port before. @throws when the process runs out of file descriptors. */
  offer(): void {
    requireDescriptors();
    this.#held.peer.setLocalDescription("offer");
  }

  /** @throws when the library does not take it. An offer is answered at once. */
  setRemote(sdp: string, type: "offer" | "answer"): void {
    requireDescriptors();
    this.#held.peer.setRemoteDescription(sdp, type);
  }

  localSdp(): string | null {
    return this.#held.peer.localDescription()?.sdp ?? null;
  }

  addCandidate(candidate: string, mid: string): void {
    this.#held.peer.addRemoteCandidate(candidate, mid);
  }

  /** Kinds of the candidates in use, and where the other side's is; null as long as there is no way at all. */
  way(): NativeWay | null {
    const pair = this.#held.peer.getSelectedCandidatePair();
    if (!pair) return null;
    const [local, remote] = [pair.local, pair.remote].map(({ type }) => candidateKindSchema.safeParse(type));
    if (!local?.success || !remote?.success) return null;
    return { local: local.data, remote: remote.data, address: pair.remote.address, port: pair.remote.port };
  }

  /** Copies the packet. @throws when the track is not open (any more). */
  send(packet: Buffer): void {
    this.#held.track?.sendMessageBinary(packet);
  }

  /** No event follows. Does not block, also not from inside of a callback. */
  close(): void {
    this.#closed = true;
    this.#held.track?.close();
    this.#held.peer.close();
  }

  /** As `#guarded`, without a closure for each packet. */
  #message(packet: Buffer): void {
    if (this.#closed) return;
    try {
      this.#events.onMessage(packet);
    } catch (error) {
      this.#events.onError(error);
    }
  }

  #guarded(run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch (error) {
      this.#events.onError(error);
    }
  }
}

function ended(entry: Held): void {
  entry.open--;
  // Not yet: the library's own work after this callback still touches the object.
  if (entry.open === 0) setImmediate(() => held.delete(entry));
}

function configOf(ice: IceSettings): RtcConfig {
  return {
    iceServers: chooseServers(ice.servers).used,
    ...(ice.portRange ? { portRangeBegin: ice.portRange[0], portRangeEnd: ice.portRange[1] } : {}),
  };
}

/** A connection takes one for its socket; the library's first takes some more, and asking for our addresses one for a moment. */
const SPARE_DESCRIPTORS = 10;

/** @throws when fewer descriptors are free than a connection may need. Until the caller yields, nobody of ours takes them. */
function requireDescriptors(): void {
  const taken: number[] = [];
  try {
    while (taken.length < SPARE_DESCRIPTORS) taken.push(openSync(devNull, "r"));
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}
