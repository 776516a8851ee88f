import { BotError, messageOf } from "../../../base/errors.ts";
import type { Clock } from "../../../base/clock.ts";
import type { IceSettings } from "../../messages.ts";
import * as sdpWrite from "../sdp-write.ts";
import { readOffer } from "../sdp.ts";
import type { RemoteAudio } from "../sdp.ts";
import { Description } from "./description.ts";
import { createPeer } from "./library.ts";
import type { NativePeer, NativeSink, NativeTrack } from "./library.ts";

/** What a connection has of the library from its negotiation on. */
export interface Open {
  kind: "open";
  peer: NativePeer;
  /** Of the present negotiation. */
  description: Description;
  /** Rejects when the connection is closed: promises of the library may never settle then. */
  abandoned: PromiseWithResolvers<never>;
  /** What the other side last said of itself; null before. */
  remote: RemoteAudio | null;
  /** What says that the other side closed; the connection's own state does not. */
  dtls: RTCDtlsTransport | null;
  sink: NativeSink | null;
}

export interface OpenEvents {
  onCandidate(line: string, mid: string | null): void;
  /** Some state changed. */
  onChange(): void;
  onTrack(track: NativeTrack): void;
}

/** @throws BotError `engine_failed` when the library does not take the settings. */
export function openPeer(ice: IceSettings, clock: Clock, events: OpenEvents): Open {
  let peer: NativePeer;
  try {
    peer = createPeer(ice);
  } catch (cause) {
    throw new BotError("engine_failed", `no connection: ${messageOf(cause)}`, { cause });
  }
  const abandoned = Promise.withResolvers<never>();
  abandoned.promise.catch(() => undefined);
  const description = new Description(ice, clock);
  const open: Open = {
    ...{ kind: "open", peer, description, abandoned, remote: null, dtls: null, sink: null },
  };
  peer.onicegatheringstatechange = () => {
    if (peer.iceGatheringState === "complete") open.description.complete();
  };
  peer.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) events.onCandidate(candidate.candidate, candidate.sdpMid);
  };
  // The second of these tells of a DTLS goodbye, which changes neither state.
  peer.onconnectionstatechange = () => events.onChange();
  peer.oniceconnectionstatechange = () => events.onChange();
  peer.ontrack = ({ track }) => events.onTrack(track);
  return open;
}

/** No event follows. */
export function closePeer({ peer, description, sink }: Open): void {
  description.complete();
  sink?.close();
  peer.onicegatheringstatechange = peer.onicecandidate = peer.ontrack = null;
  peer.onconnectionstatechange = peer.oniceconnectionstatechange = null;
  peer.close();
}

/** Runs something that the library finishes later, unless the connection is closed first. */
export function step<T>(open: Open, run: (peer: NativePeer) => Promise<T>): Promise<T> {
  return Promise.race([run(open.peer), open.abandoned.promise]);
}

/** The offer when it is of the very connection that there is, with new ways to it: an ICE restart (RFC 8839 section 4.4.1.1.1). */
export function restartOf(sdp: string, before: RemoteAudio): RemoteAudio | null {
  let offer: RemoteAudio;
  try {
    offer = readOffer(sdp);
  } catch {
    return null; // the new connection says what is wrong with it
  }
  const same =
    offer.transport.fingerprint.value === before.transport.fingerprint.value &&
    offer.transport.ufrag !== before.transport.ufrag &&
    sdpWrite.libraryMid(offer) === sdpWrite.libraryMid(before) &&
    offer.payloadType === before.payloadType &&
    offer.direction === before.direction;
  return same ? offer : null;
}
