import wrtc from "@roamhq/wrtc";
import type { IceSettings } from "../../messages.ts";

/**
 * The part of @roamhq/wrtc (libwebrtc) that is used, and what one has to know to use it safely:
 * - a process that carried sound crashes at its natural end, and so does a worker: it belongs into a child that leaves with
 *   `process.exit`;
 * - its audio source reads a buffer from its beginning, whatever the view's offset is, and copies it;
 * - a sink gives frames from the moment on when it is made, of another rate until the first packet, and never ends by itself;
 * - a promise of a connection that was closed meanwhile may never settle.
 */
export type NativePeer = RTCPeerConnection;
export type NativeTrack = MediaStreamTrack;

/** 10 ms of one stream. */
export interface SinkData {
  samples: Int16Array;
  sampleRate: number;
  channelCount: number;
  numberOfFrames: number;
}

/** Its own option, which the browsers' type does not have. */
interface NativeConfiguration extends RTCConfiguration {
  portRange?: { min: number; max: number };
}

export function createPeer(ice: IceSettings): NativePeer {
  const configuration: NativeConfiguration = {
    iceServers: chooseServers(ice.servers).used,
    ...(ice.portRange ? { portRange: { min: ice.portRange[0], max: ice.portRange[1] } } : {}),
  };
  return new wrtc.RTCPeerConnection(configuration);
}

/** The one source of a channel's sound; every connection encodes its track for itself. */
export class NativeSource {
  readonly #source = new wrtc.nonstandard.RTCAudioSource();
  readonly track: NativeTrack = this.#source.createTrack();
  readonly stream: MediaStream = new wrtc.MediaStream();

  /** 10 ms at 48 kHz, stereo, from the beginning of the buffer; it is copied. */
  write(samples: Int16Array): void {
    this.#source.onData({
      samples,
      sampleRate: 48_000,
      bitsPerSample: 16,
      channelCount: 2,
      numberOfFrames: samples.length / 2,
    });
  }

  close(): void {
    this.track.stop();
  }
}

/** What is heard of a track, until closed. `onData` must not throw; the samples are valid during the call. */
export class NativeSink {
  readonly #sink: InstanceType<typeof wrtc.nonstandard.RTCAudioSink>;

  constructor(track: NativeTrack, onData: (data: SinkData) => void) {
    this.#sink = new wrtc.nonstandard.RTCAudioSink(track);
    // The type says Event; what comes is the data itself.
    this.#sink.ondata = (data: unknown) => onData(data as SinkData);
  }

  close(): void {
    this.#sink.ondata = null;
    this.#sink.stop();
  }
}

/** RFC 7064 and RFC 7065 URIs, as far as the library takes them; it throws at others. */
const URI = /^(stuns?:[^\s?]+|turns?:[^\s?]+(\?transport=(udp|tcp))?)$/i;

/** The servers that are used, over UDP, TCP and TLS, and the URIs that are none. */
export function chooseServers(servers: IceSettings["servers"]): {
  used: RTCIceServer[];
  /** URIs that the library can do nothing with, and why. */
  unused: { uri: string; why: string }[];
} {
  const isServer = ({ uri }: { uri: string }): boolean => URI.test(uri);
  return {
    used: servers
      .filter(isServer)
      .map(({ uri, username, password }) =>
        /^turn/i.test(uri)
          ? { urls: uri, username: username ?? "", credential: password ?? "" }
          : { urls: uri },
      ),
    unused: servers
      .filter((server) => !isServer(server))
      .map(({ uri }) => ({ uri, why: "it is no STUN or TURN URI" })),
  };
}
