import type { BotReport, ChannelReport, MemberMedia, MemberReport } from "../../src/diagnosis/report.ts";

type Incoming = MemberMedia["incoming"];
type Outgoing = MemberMedia["outgoing"];

/** Somebody with whom all is well, but for what is given. */
export function aMember(name: string, more: Partial<MemberReport> = {}): MemberReport {
  return {
    key: `Chrome@${name.toLowerCase()}:test`,
    userId: `@${name.toLowerCase()}:test`,
    name,
    inChannelForMs: 600_000,
    link: "connected",
    linkForMs: 600_000,
    described: true,
    offersUnanswered: 0,
    failures: 0,
    media: someMedia(),
    ...more,
  };
}

/** As `aMember`, where something is wrong with what it gets or sends. */
export function aHearer(
  name: string,
  outgoing: Partial<Outgoing> = {},
  incoming: Partial<Incoming> = {},
): MemberReport {
  return aMember(name, { media: someMedia(outgoing, incoming) });
}

export function someMedia(outgoing: Partial<Outgoing> = {}, incoming: Partial<Incoming> = {}): MemberMedia {
  return {
    way: { local: "host", remote: "host" },
    relayed: false,
    candidates: { used: 2, refused: 0 },
    roundTripMs: 23,
    outgoing: {
      packets: 5000,
      recentPackets: 500,
      loss: 0,
      lossInAll: 0.001,
      jitterMs: 2,
      reportAgeMs: 3000,
      ...outgoing,
    },
    incoming: {
      packets: 30_000,
      loss: 0,
      lossInAll: 0,
      jitterMs: 4,
      packetAgeMs: 12,
      soundAgeMs: 1000,
      levelDbfs: -23.4,
      dtx: false,
      ...incoming,
    },
  };
}

/** A channel in which music plays and all is well, but for what is given. */
export function aReport(members: readonly MemberReport[] = [], bot: Partial<BotReport> = {}): ChannelReport {
  return {
    roomId: "!room:test",
    members,
    bot: {
      userId: "@bot:test",
      phase: "in",
      phaseForMs: 900_000,
      plane: "up",
      media: { engine: "libdatachannel", lateFrames: 0 },
      playing: "playing",
      volumePercent: 100,
      recordingForMs: null,
      relays: false,
      syncAgeMs: 3000,
      outbox: { waiting: 0, oldestMs: 0, limited: false },
      missing: [],
      ...bot,
    },
  };
}
