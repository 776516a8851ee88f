import type { ChannelSession } from "../channel/session.ts";
import type { Clock } from "../base/clock.ts";
import { channelReport } from "../diagnosis/build.ts";
import type { ChannelReport } from "../diagnosis/report.ts";
import type { MatrixSession, RoomState } from "../matrix/session.ts";
import type { IceSettings, MediaPlane, PlaneResult } from "../media/plane.ts";
import type { RoomPlayer } from "../player/playback.ts";
import type { RoomRecorder } from "../recorder/recorder.ts";
import { missingIn } from "../room-admin/missing.ts";

export interface RoomReportDeps {
  room: RoomState;
  session: Pick<MatrixSession, "sync" | "outbox">;
  plane: Pick<MediaPlane, "state" | "request">;
  channel: ChannelSession;
  player: Pick<RoomPlayer, "nowPlaying" | "volume">;
  recorder: Pick<RoomRecorder, "status">;
  ice: () => IceSettings;
  clock: Clock;
}

/** How it stands with a room's channel now. Never rejects; bounded by the media plane's own limit (5 s). */
export async function roomReport(deps: RoomReportDeps): Promise<ChannelReport> {
  const { room, session, plane, channel, player, recorder, ice, clock } = deps;
  const stats = await readStats(deps);
  const nowMs = clock.now();
  const recording = recorder.status();
  const { outbox } = session;
  return channelReport({
    roomId: room.id,
    nowMs,
    bot: {
      userId: room.ownUserId,
      phase: channel.state,
      phaseForMs: nowMs - channel.stateSinceMs,
      plane: plane.state,
      playing: player.nowPlaying()?.phase ?? "silent",
      volumePercent: player.volume(),
      recordingForMs: recording.phase === "recording" ? recording.elapsedMs : null,
      relays: ice().servers.some(({ uri }) => uri.startsWith("turn")),
      syncAgeMs: session.sync.ageMs,
      outbox: { waiting: outbox.size, oldestMs: outbox.oldestMs, limited: outbox.limited },
      missing: missingIn(room),
    },
    links: channel.links(),
    stats,
    displayName: (userId) => room.displayName(userId),
  });
}

/** Nothing is asked of a plane that has no such channel: it would be started for it. */
async function readStats({ room, plane, channel }: RoomReportDeps): Promise<PlaneResult<"stats"> | null> {
  if (channel.state !== "in" || plane.state !== "up") return null;
  return plane.request({ kind: "stats", channel: room.id }).catch(() => null);
}
