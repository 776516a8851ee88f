import type { ChannelLink } from "../channel/session.ts";
import type { PeerStats, PlaneResult } from "../media/plane.ts";
import type { BotReport, ChannelReport, MemberMedia, MemberReport } from "./report.ts";

/** What a report is made of: how it stands with each member by the channel, and what the media plane counted. */
export interface ReportParts {
  roomId: string;
  /** Monotonic; the links' times are of the same clock. */
  nowMs: number;
  bot: Omit<BotReport, "media">;
  links: readonly ChannelLink[];
  /** Null when the plane has no such channel, or did not answer. */
  stats: PlaneResult<"stats"> | null;
  displayName: (userId: string) => string;
}

/** Puts a report together. Pure. */
export function channelReport({ roomId, nowMs, bot, links, stats, displayName }: ReportParts): ChannelReport {
  const byPeer = new Map(stats?.peers.map((peer) => [peer.peer, peer]));
  const members = links.map((link): MemberReport => {
    const peer = byPeer.get(link.key);
    return {
      key: link.key,
      userId: link.userId,
      name: displayName(link.userId),
      inChannelForMs: Math.max(0, nowMs - link.memberSinceMs),
      link: link.phase,
      linkForMs: Math.max(0, nowMs - link.sinceMs),
      described: link.described,
      offersUnanswered: link.offersUnanswered,
      failures: link.failures,
      media: peer ? mediaOf(peer) : null,
    };
  });
  const media = stats && { engine: stats.engine, lateFrames: stats.lateFrames, encoder: stats.encoder };
  return { roomId, bot: { ...bot, media }, members };
}

function mediaOf(peer: PeerStats): MemberMedia {
  return {
    way: peer.way,
    relayed: peer.relayed,
    candidates: { used: peer.candidatesUsed, refused: peer.candidatesRefused },
    roundTripMs: peer.roundTripMs,
    outgoing: {
      packets: peer.packetsSent,
      recentPackets: peer.packetsSentRecently,
      loss: peer.lossRecently,
      lossInAll: peer.lossInAll,
      jitterMs: peer.jitterMs,
      redundancy: peer.redundancy,
      reportAgeMs: peer.reportAgeMs,
    },
    incoming: {
      packets: peer.packetsReceived,
      loss: peer.missedRecently,
      lossInAll: share(peer.packetsMissed, peer.packetsReceived),
      jitterMs: peer.arrivalJitterMs,
      packetAgeMs: peer.voice.packetAgeMs,
      soundAgeMs: peer.voice.soundAgeMs,
      levelDbfs: peer.voice.levelDbfs,
      dtx: peer.voice.dtx,
    },
  };
}

function share(missed: number, received: number): number | null {
  return missed + received === 0 ? null : missed / (missed + received);
}
