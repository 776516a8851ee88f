import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { download } from "../fetch/download.ts";
import { GuardedFetch } from "../fetch/guarded-fetch.ts";
import { PUBLIC_HTTPS, type FetchPolicy } from "../fetch/url.ts";
import { findFfmpeg, hasFilter } from "./audio/ffmpeg-path.ts";
import { probeFile } from "./audio/probe.ts";
import { scanLoudness } from "./audio/scan.ts";
import { ChannelMedia } from "./channel-media.ts";
import type { PlaneContext } from "./context.ts";
import type { Engine } from "./engine/engine.ts";
import type { PlaneEvent, PlaneRequest, PlaneRequestKind, PlaneResult } from "./messages.ts";

export interface PlaneCoreOptions {
  engine: Engine;
  clock: Clock;
  log: Log;
  /** As configured; null looks for it (see `findFfmpeg`). */
  ffmpegPath: string | null;
  /** Where people may send it; default: the public Internet, over https. */
  fetchPolicy?: FetchPolicy;
  onEvent: (event: PlaneEvent) => void;
}

export interface PlaneCore {
  /** Answers one request, which a schema has passed; see `MediaPlane.request` for `signal`. @throws BotError as `MediaPlane.request` says. */
  handle(request: PlaneRequest, signal?: AbortSignal): Promise<PlaneResult<PlaneRequestKind>>;
  /** Closes all channels (recordings' files first of all) and the engine. Idempotent; no event follows. */
  close(): Promise<void>;
}

/** The media plane itself, the same in this process and in a child. Owns its channels and the engine. */
export function createPlaneCore(options: PlaneCoreOptions): PlaneCore {
  const { engine, clock, log, ffmpegPath, fetchPolicy = PUBLIC_HTTPS, onEvent } = options;
  const channels = new Map<string, ChannelMedia>();
  let open = true;
  let closing: Promise<void> | null = null;
  const fetching = new AbortController();
  let program: string | null = null;
  let rubberband: Promise<boolean> | null = null;

  const context: PlaneContext = {
    engine,
    clock,
    log,
    emit: (event) => {
      if (open) onEvent(event);
    },
    guard: new GuardedFetch({ policy: fetchPolicy, clock }),
    ffmpeg: async () => (program ??= await findFfmpeg(ffmpegPath)),
    rubberband: () => (rubberband ??= context.ffmpeg().then((path) => hasFilter(path, "rubberband"))),
  };

  const channelOf = (key: string): ChannelMedia => {
    const channel = channels.get(key);
    if (!channel) throw new BotError("not_found", `there is no channel ${key}`);
    return channel;
  };

  const handle = async (
    request: PlaneRequest,
    signal?: AbortSignal,
  ): Promise<PlaneResult<PlaneRequestKind>> => {
    if (!open) throw new BotError("media_plane_down", "the media plane is closing", { retryable: true });
    switch (request.kind) {
      case "ping":
        return {};
      case "fetch.file": {
        const { url, path, maxBytes } = request;
        const either = signal ? AbortSignal.any([fetching.signal, signal]) : fetching.signal;
        return download(context.guard, url, { path, maxBytes, clock, signal: either });
      }
      case "probe":
        return probeFile(await context.ffmpeg(), request.source.path, context);
      case "loudness.scan":
        return scanLoudness(await context.ffmpeg(), request.source.path, context);
      case "cover.make": {
        // Rarely needed.
        const { makeCover } = await import("./cover/cover.ts");
        const { source, to } = request;
        return {
          size: await makeCover(await context.ffmpeg(), source, to, { ...context, signal: fetching.signal }),
        };
      }
      case "channel.open": {
        const known = channels.get(request.channel);
        if (known) known.configure(request);
        else channels.set(request.channel, new ChannelMedia(request.channel, request, context));
        // Looked for now, so that the first track does not wait for it; a missing one is told by whoever needs it.
        context.ffmpeg().catch(() => undefined);
        return {};
      }
      case "channel.close": {
        const channel = channels.get(request.channel);
        channels.delete(request.channel);
        await channel?.close();
        return {};
      }
      case "peer.offer":
        return { sdp: await channelOf(request.channel).peers.offer(request.peer) };
      case "peer.answer":
        return { sdp: await channelOf(request.channel).peers.answer(request.peer, request.sdp) };
      case "peer.answered":
        channelOf(request.channel).peers.answerSent(request.peer);
        return {};
      case "peer.accept":
        await channelOf(request.channel).peers.accept(request.peer, request.sdp);
        return {};
      case "peer.candidate":
        channelOf(request.channel).peers.candidate(request.peer, request.candidate, request.mid);
        return {};
      case "peer.close":
        channelOf(request.channel).peers.close(request.peer);
        return {};
      case "peer.volume":
        channelOf(request.channel).peerVolume(request.peer, request.percent);
        return {};
      case "duck":
        channelOf(request.channel).duck(request.db);
        return {};
      case "play.start":
        await channelOf(request.channel).start(request);
        return {};
      case "play.next":
        await channelOf(request.channel).next(request.next);
        return {};
      case "play.filters":
        await channelOf(request.channel).filters(request.filters);
        return {};
      case "play.pause":
        await channelOf(request.channel).pause();
        return {};
      case "play.resume":
        await channelOf(request.channel).resume();
        return {};
      case "play.stop":
        await channelOf(request.channel).stop();
        return {};
      case "play.volume":
        await channelOf(request.channel).volume(request.percent);
        return {};
      case "play.gain":
        await channelOf(request.channel).gain(request.track, request.gainDb);
        return {};
      case "announce.play":
        await channelOf(request.channel).announce(request.source.path);
        return {};
      case "record.start":
        await channelOf(request.channel).kept.start(request);
        return {};
      case "record.allow":
        await channelOf(request.channel).kept.allow(request.speakers);
        return {};
      case "record.erase":
        return { files: await channelOf(request.channel).kept.erase(request.speaker) };
      case "record.stop":
        await channelOf(request.channel).kept.stop();
        return {};
      case "clip.keep":
        channelOf(request.channel).kept.keepClip(request.speakers, request.seconds);
        return {};
      case "clip.write":
        return { files: await channelOf(request.channel).kept.writeClip(request) };
      case "stats":
        return channelOf(request.channel).stats();
    }
  };

  const close = async (): Promise<void> => {
    open = false;
    fetching.abort();
    await Promise.allSettled([...channels.values()].map((channel) => channel.close()));
    channels.clear();
    await engine.close();
  };

  return { handle, close: () => (closing ??= close()) };
}
