import { writeFileSync } from "node:fs";
import type { Clock } from "../../src/base/clock.ts";
import { Emitter } from "../../src/base/emitter.ts";
import { BotError } from "../../src/base/errors.ts";
import { NO_FILTERS, type Filters } from "../../src/media/messages.ts";
import type {
  IceSettings,
  Loudness,
  MediaPlane,
  PlaneEvent,
  PlaneRequest,
  PlaneRequestKind,
  PlaneResult,
  PlaneState,
  TrackSource,
} from "../../src/media/plane.ts";
import { FakeAnnouncements, FakeKept } from "./kept.ts";
import { FakePlayback } from "./playback.ts";
import { FakeConnection, type FakeConnectionEvents } from "./wire.ts";

interface FakeChannel {
  ice: IceSettings;
  bitrate: number;
  peers: Map<string, FakeConnection>;
  playback: FakePlayback | null;
  next: { track: string; source: TrackSource; gainDb?: number | undefined } | null;
  volume: number;
  /** Of single listeners. */
  volumes: Map<string, number>;
  duckDb: number;
  filters: Filters;
  kept: FakeKept;
  announcements: FakeAnnouncements;
}

/** What is at an address, as `fetch.file` says it, and what is in it. */
export interface FakePage {
  what: "audio" | "text" | "stream";
  text: string;
  url?: string;
  contentType?: string;
  name?: string;
}

export interface FakePlaneOptions {
  clock: Clock;
  /** Default `up`. A plane that is down starts with the first request, unless it crashed. */
  state?: "up" | "down";
  /** How long the answers take, in ms; default a microtask. */
  latencyMs?: number;
  /** Length of a file in ms, null when it is no audio. Default: everything is a tune of three minutes. */
  durationOf?: (path: string) => number | null;
  /** What is at an address; it may throw. Default: sound everywhere. */
  webOf?: (url: string) => FakePage;
  /** How loud a file is. Default: as loud as everything is brought to. */
  loudnessOf?: (path: string) => Pick<Loudness, "lufs" | "truePeakDb">;
  /** How large the picture of a file or an address is; null: there is none; it may throw. Default: nothing has any. */
  coverOf?: (place: string) => { width: number; height: number } | null;
  /** After which a connection to nobody fails, in ms; see `FakeConnection`. */
  failMs?: number;
}

/** A media plane without media: connections find each other through `wire.ts`, tracks play by the clock. */
export class FakePlane implements MediaPlane {
  /** Everything that was asked, in order. */
  readonly requests: PlaneRequest[] = [];
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #failMs: number | undefined;
  readonly #durationOf: (path: string) => number | null;
  readonly #webOf: (url: string) => FakePage;
  readonly #loudnessOf: (path: string) => Pick<Loudness, "lufs" | "truePeakDb">;
  readonly #coverOf: (place: string) => { width: number; height: number } | null;
  readonly #events = new Emitter<PlaneEvent>();
  readonly #states = new Emitter<PlaneState>();
  readonly #channels = new Map<string, FakeChannel>();
  /** Numbers of recorded files, which outlive a crash. */
  readonly #numbers = new Map<string, number>();
  readonly #failures: { kind: PlaneRequestKind; error: BotError }[] = [];
  #state: PlaneState;
  #crashed = false;
  #crashes = 0;

  constructor(options: FakePlaneOptions) {
    this.#clock = options.clock;
    this.#latencyMs = options.latencyMs ?? 0;
    this.#failMs = options.failMs;
    this.#durationOf = options.durationOf ?? (() => 180_000);
    this.#webOf = options.webOf ?? (() => ({ what: "audio", text: "sound" }));
    this.#loudnessOf = options.loudnessOf ?? (() => ({ lufs: -16, truePeakDb: -3 }));
    this.#coverOf = options.coverOf ?? (() => null);
    this.#state = options.state ?? "up";
  }

  get state(): PlaneState {
    return this.#state;
  }

  async request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    this.requests.push(request);
    if (this.#state === "down" && !this.#crashed) this.up();
    this.#alive();
    const failure = this.#failures.findIndex(({ kind }) => kind === request.kind);
    const error = failure < 0 ? null : this.#failures.splice(failure, 1)[0]?.error;
    // What it does takes effect in the order asked; only the answer takes its time.
    const outcome = error ? () => Promise.reject(error) : this.#attempt(request);
    const crashes = this.#crashes;
    if (this.#latencyMs > 0)
      await new Promise<void>((resolve) => {
        const timer = this.#clock.timer(this.#latencyMs, resolve);
        if (request.kind !== "fetch.file") return;
        signal?.addEventListener("abort", () => {
          timer.cancel();
          resolve();
        });
      });
    if (signal?.aborted && request.kind === "fetch.file") throw new BotError("cancelled", "cancelled");
    this.#alive();
    if (crashes !== this.#crashes) throw planeDown(true);
    return (await outcome()) as PlaneResult<K>;
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.#events.on(listener);
  }

  onState(listener: (state: PlaneState) => void): () => void {
    return this.#states.on(listener);
  }

  close(): Promise<void> {
    for (const key of this.#channels.keys()) this.#closeChannel(key);
    if (this.#state !== "closed") this.#setState("closed");
    this.#events.clear();
    this.#states.clear();
    return Promise.resolve();
  }

  // --- what tests do to it

  /** The next request of this kind is refused. */
  failNext(kind: PlaneRequestKind, error: BotError): void {
    this.#failures.push({ kind, error });
  }

  /** The media child is killed: everything in it is gone without a goodbye. */
  crash(): void {
    this.#crashed = true;
    this.#crashes++;
    for (const channel of this.#channels.values()) {
      for (const connection of channel.peers.values()) connection.vanish();
      channel.playback?.drop();
      channel.announcements.close();
    }
    this.#channels.clear();
    this.#setState("down");
  }

  /** A new, empty one is there. */
  up(): void {
    this.#crashed = false;
    this.#setState("up");
  }

  emit(event: PlaneEvent): void {
    this.#events.emit(event);
  }

  /** By how much the music is turned down for voices; null: there is no such channel. */
  duckDb(channel: string): number | null {
    return this.#channels.get(channel)?.duckDb ?? null;
  }

  /** What one hears, in percent of what everybody does. */
  volumeOf(channel: string, peer: string): number {
    return this.#channels.get(channel)?.volumes.get(peer) ?? 100;
  }

  /** What plays, and by how much more than it was made; null when nothing does. */
  playing(channel: string): { track: string; gainDb: number } | null {
    return this.#channels.get(channel)?.playback ?? null;
  }

  /** The current connection of a peer. */
  connection(channel: string, peer: string): FakeConnection | undefined {
    return this.#channels.get(channel)?.peers.get(peer);
  }

  /** Keys of the peers that there are connections for. */
  peers(channel: string): string[] {
    return [...(this.#channels.get(channel)?.peers.keys() ?? [])];
  }

  isOpen(channel: string): boolean {
    return this.#channels.has(channel);
  }

  settings(
    channel: string,
  ): { ice: IceSettings; bitrate: number; volume: number; filters: Filters } | undefined {
    return this.#channels.get(channel);
  }

  // --- what it does

  #attempt(request: PlaneRequest): () => Promise<PlaneResult<PlaneRequestKind>> {
    try {
      const result = this.#handle(request);
      return () => Promise.resolve(result());
    } catch (error) {
      return () => Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Does it, and returns how to answer once the answer is due. */
  #handle(request: PlaneRequest): () => PlaneResult<PlaneRequestKind> {
    if (request.kind === "ping") return () => ({});
    if (request.kind === "probe") {
      const durationMs = this.#readable(request.source);
      return () => ({ durationMs, codec: "fake", title: null, artist: null, album: null });
    }
    if (request.kind === "fetch.file") {
      const { text, ...page } = this.#webOf(request.url);
      const bytes = page.what === "stream" ? 0 : Buffer.byteLength(text);
      if (bytes > request.maxBytes) throw new BotError("media_too_large", "too large");
      if (page.what !== "stream") writeFileSync(request.path, text, { flag: "wx" });
      return () => ({ url: request.url, contentType: null, name: null, bytes, ...page });
    }
    if (request.kind === "loudness.scan") {
      const durationMs = this.#readable(request.source);
      return () => ({ ...this.#loudnessOf(request.source.path), durationMs });
    }
    if (request.kind === "cover.make") {
      const size = this.#coverOf("path" in request.source ? request.source.path : request.source.url);
      if (size) writeFileSync(request.to, `a cover ${JSON.stringify(size)}`, { flag: "wx" });
      return () => ({ size });
    }
    if (request.kind === "channel.open") {
      const { ice, bitrate } = request;
      const open = this.#channels.get(request.channel);
      if (open) Object.assign(open, { ice, bitrate });
      else {
        const channel: FakeChannel = {
          ...{ ice, bitrate, peers: new Map(), playback: null, volume: 100 },
          ...{ volumes: new Map(), duckDb: 0 },
          ...{ next: null, filters: NO_FILTERS },
          kept: new FakeKept(this.#clock, this.#numbers),
          announcements: new FakeAnnouncements(this.#clock, () => {
            for (const connection of channel.peers.values()) connection.sound();
          }),
        };
        this.#channels.set(request.channel, channel);
      }
      return () => ({});
    }
    if (request.kind === "channel.close") {
      this.#closeChannel(request.channel);
      return () => ({});
    }
    return this.#handleIn(this.#channel(request.channel), request);
  }

  #handleIn(
    channel: FakeChannel,
    request: Exclude<
      PlaneRequest,
      {
        kind:
          "ping" | "probe" | "fetch.file" | "loudness.scan" | "cover.make" | "channel.open" | "channel.close";
      }
    >,
  ): () => PlaneResult<PlaneRequestKind> {
    const done = () => ({});
    switch (request.kind) {
      case "peer.offer":
      case "peer.answer": {
        const connection = this.#connect(channel, request.channel, request.peer);
        const answers = request.kind === "peer.answer";
        if (answers) connection.setRemote(request.sdp);
        const sdp = connection.describe(answers ? "active" : "actpass");
        return () => {
          if (channel.peers.get(request.peer) === connection) return { sdp };
          throw new BotError("cancelled", "the connection was replaced or closed meanwhile");
        };
      }
      case "peer.answered":
        this.#peer(channel, request.peer);
        return done;
      case "peer.accept":
        this.#peer(channel, request.peer).setRemote(request.sdp);
        return done;
      case "peer.candidate": {
        const { candidate, mid } = request;
        this.#peer(channel, request.peer).candidates.push({ candidate, mid });
        return done;
      }
      case "peer.close":
        channel.peers.get(request.peer)?.close();
        channel.peers.delete(request.peer);
        return done;
      case "peer.volume":
        if (request.percent === 100) channel.volumes.delete(request.peer);
        else channel.volumes.set(request.peer, request.percent);
        return done;
      case "play.start": {
        this.#readable(request.source);
        channel.playback?.end("replaced");
        channel.next = null;
        channel.playback = this.#play(channel, request);
        return done;
      }
      case "play.next":
        if (request.next) this.#readable(request.next.source);
        channel.next = request.next;
        return done;
      case "play.pause":
        channel.playback?.pause();
        return done;
      case "play.resume":
        channel.playback?.resume();
        return done;
      case "play.stop":
        channel.playback?.end("stopped");
        channel.playback = null;
        channel.next = null;
        return done;
      case "play.volume":
        channel.volume = request.percent;
        return done;
      case "duck":
        channel.duckDb = request.db;
        return done;
      case "play.gain":
        if (channel.playback?.track === request.track) channel.playback.gainDb = request.gainDb;
        if (channel.next?.track === request.track) channel.next.gainDb = request.gainDb;
        return done;
      case "play.filters":
        channel.filters = request.filters;
        if (channel.playback) channel.playback.speed = request.filters.speed;
        return done;
      case "announce.play":
        channel.announcements.play(this.#readable(request.source));
        return done;
      case "record.start":
        channel.kept.start(request.recording, request.directory, request.speakers);
        return done;
      case "record.allow":
        channel.kept.allow(request.speakers);
        return done;
      case "record.erase": {
        const files = channel.kept.erase(request.speaker);
        return () => ({ files });
      }
      case "record.stop":
        channel.kept.stop();
        return done;
      case "clip.keep":
        channel.kept.keepClip(request.speakers, request.seconds);
        return done;
      case "clip.write": {
        const files = channel.kept.writeClip(request.directory, request.seconds);
        return () => ({ files });
      }
      case "stats":
        return () => this.#stats(channel);
    }
  }

  #play(channel: FakeChannel, request: Extract<PlaneRequest, { kind: "play.start" }>): FakePlayback {
    const events = {
      emit: (event: PlaneEvent) => this.#events.emit(event),
      onSound: () => this.#sound(request.channel, channel),
      onFinished: () => {
        const { next } = channel;
        channel.next = null;
        const follows = next && { ...request, ...next, positionMs: 0, paused: false };
        channel.playback = follows && this.#play(channel, follows);
        return next?.track ?? null;
      },
    };
    const { speed } = channel.filters;
    return new FakePlayback(this.#clock, request, this.#readable(request.source), events, speed);
  }

  #stats(channel: FakeChannel): PlaneResult<"stats"> {
    const peers = [...channel.peers].map(([peer, { state }]) => ({
      peer,
      state,
      packetsSent: 0,
      packetsReceived: 0,
      packetsMissed: 0,
      ...{ packetsSentRecently: 0, missedRecently: null, arrivalJitterMs: null },
      ...{ lossFraction: null, lossRecently: null, lossInAll: null, reportAgeMs: null },
      ...(state === "connected"
        ? { relayed: false, way: { local: "host", remote: "host" } as const }
        : { relayed: null, way: null }),
      ...{ candidatesUsed: 0, candidatesRefused: 0 },
      voice: { packetAgeMs: null, soundAgeMs: null, levelDbfs: null, dtx: false, clippedRecently: null },
      jitterMs: null,
      roundTripMs: null,
      redundancy: null,
      lastHeardMs: null,
    }));
    return { engine: "fake", peers, lateFrames: 0, rssBytes: 1, encoder: null };
  }

  #connect(channel: FakeChannel, name: string, peer: string): FakeConnection {
    channel.peers.get(peer)?.close();
    const events: FakeConnectionEvents = {
      onState: (state) => {
        if (channel.peers.get(peer) !== connection) return;
        if (state === "closed" || state === "failed") channel.peers.delete(peer);
        this.#events.emit({ kind: "peer.state", channel: name, peer, state });
        if (state === "connected" && channel.playback?.sounding) connection.sound();
      },
      onSound: () => this.#heard(name, channel, peer, "voice"),
    };
    const connection = new FakeConnection(this.#clock, events, this.#failMs);
    channel.peers.set(peer, connection);
    return connection;
  }

  /** The channel's own sound, to everybody in it and to the recording. */
  #sound(name: string, channel: FakeChannel): void {
    this.#heard(name, channel, "music", "music");
    for (const connection of channel.peers.values()) connection.sound();
  }

  #heard(name: string, channel: FakeChannel, speaker: string, what: "voice" | "music"): void {
    if (what === "voice") {
      this.#events.emit({ kind: "levels", channel: name, speakers: [{ speaker, levelDbov: -30 }] });
    }
    const opened = channel.kept.heard(speaker, what);
    if (opened) this.#events.emit({ kind: "record.track", channel: name, ...opened });
  }

  #closeChannel(key: string): void {
    const channel = this.#channels.get(key);
    if (!channel) return;
    this.#channels.delete(key);
    channel.playback?.end("stopped");
    channel.announcements.close();
    for (const connection of channel.peers.values()) connection.close();
    channel.peers.clear();
  }

  #channel(key: string): FakeChannel {
    const channel = this.#channels.get(key);
    if (!channel) throw new BotError("not_found", `there is no channel ${key}`);
    return channel;
  }

  #peer(channel: FakeChannel, key: string): FakeConnection {
    const peer = channel.peers.get(key);
    if (!peer) throw new BotError("not_found", `there is no peer ${key}`);
    return peer;
  }

  #readable(source: TrackSource): number {
    if (!("path" in source)) return Number.POSITIVE_INFINITY;
    const durationMs = this.#durationOf(source.path);
    if (durationMs === null) {
      throw new BotError("media_unreadable", "not audio", { say: { key: "error.media_unreadable" } });
    }
    return durationMs;
  }

  #alive(): void {
    if (this.#state === "up") return;
    throw planeDown(this.#state === "down");
  }

  #setState(state: PlaneState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#states.emit(state);
  }
}

function planeDown(retryable: boolean): BotError {
  const say = { key: "error.media_plane_down" } as const;
  return new BotError("media_plane_down", "the media plane is down", { retryable, say });
}
