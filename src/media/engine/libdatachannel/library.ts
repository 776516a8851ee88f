import { createSocket } from "node:dgram";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { Audio, cleanup, PeerConnection } from "node-datachannel";
import type { RtcConfig, Track } from "node-datachannel";
import type { Clock } from "../../../base/clock.ts";
import type { IceSettings } from "../../messages.ts";

/**
 * The part of node-datachannel that is used, and what one has to know to use it safely:
 * - its native objects must not be collected by V8 before the library reported them closed, or its list of tracks keeps a
 *   dangling pointer that `cleanup()` follows: `Native` holds them until then;
 * - an exception in a callback ends the process: `Native` guards each;
 * - `setLocalDescription` ends the process when no port of the range is free, or no file descriptor: `withFreePort` and
 *   `requireDescriptors` look first;
 * - `cleanup()` closes every connection of the process: only the last engine calls it.
 */
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
    track.onMessage((packet) => this.#guarded(() => this.#events.onMessage(packet)));
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
    iceServers: ice.servers.flatMap((server) => iceServer(server) ?? []),
    ...(ice.portRange ? { portRangeBegin: ice.portRange[0], portRangeEnd: ice.portRange[1] } : {}),
  };
}

/** RFC 7064 and 7065 URIs. Only UDP: this library's ICE agent knows no other way to a TURN server. */
function iceServer(server: IceSettings["servers"][number]): RtcConfig["iceServers"][number] | null {
  const match = /^(stun|turn):(\[[0-9a-f:.]+\]|[^:?[\]]+)(?::(\d{1,5}))?(?:\?transport=(\w+))?$/i.exec(
    server.uri,
  );
  if (!match || (match[4] !== undefined && match[4].toLowerCase() !== "udp")) return null;
  const hostname = match[2]!.replace(/^\[|\]$/g, "");
  const port = Number(match[3] ?? 3478);
  if (match[1]!.toLowerCase() === "stun") return { hostname, port };
  const { username = "", password = "" } = server;
  return { hostname, port, username, password, relayType: "TurnUdp" };
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

/**
 * Calls `use` in a moment when a UDP port of the range was just seen free. @returns false when there was none in a second.
 */
export async function withFreePort(ice: IceSettings, use: () => void): Promise<boolean> {
  if (!ice.portRange) {
    use();
    return true;
  }
  const [first, last] = ice.portRange;
  const count = last - first + 1;
  const start = Math.floor(Math.random() * count);
  const tries = Math.min(count, 1000);
  for (let i = 0; i < tries; i++) if (await ifFree(first + ((start + i) % count), use)) return true;
  return false;
}

/** Tries both families at once, as the library does; where there is no IPv6, one. */
function ifFree(port: number, use: () => void, type: "udp6" | "udp4" = "udp6"): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      const noIpv6 = type === "udp6" && error.code !== "EADDRINUSE";
      resolve(noIpv6 ? ifFree(port, use, "udp4") : false);
    });
    socket.bind({ port, exclusive: true }, () => {
      socket.close(); // frees the port at once; `use` takes it before anything else of ours can run
      try {
        use();
        resolve(true);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
