import { z } from "zod";
import { candidateKindSchema } from "../../messages.ts";
import type { ConnectionStats } from "../engine.ts";
import { isRelayed, LossReports, missedShare, RecentCounts } from "../figures.ts";
import type { Counts } from "../figures.ts";
import type { RemoteCandidates } from "../remote-candidates.ts";

/** Reported values beyond these are made up. */
const MAX_JITTER_MS = 60_000;
const MAX_ROUND_TRIP_MS = 60_000;

const count = z.number().nonnegative().catch(0);
const seconds = z.number().nonnegative().optional().catch(undefined);
const id = z.string().optional().catch(undefined);

/** What is read of `RTCPeerConnection.getStats()` (W3C webrtc-stats, section 6.1). Times are in seconds there. */
const reportSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("outbound-rtp"), packetsSent: count }),
  z.object({
    type: z.literal("inbound-rtp"),
    packetsReceived: count,
    packetsLost: z.number().catch(0),
    jitter: seconds,
  }),
  z.object({
    type: z.literal("remote-inbound-rtp"),
    timestamp: z.number(),
    packetsLost: z.number().catch(0),
    fractionLost: z.number().min(0).max(1).optional().catch(undefined),
    jitter: seconds,
    roundTripTime: seconds,
    /** Before the first it says that there was no time at all. */
    roundTripTimeMeasurements: count,
  }),
  z.object({ type: z.literal("transport"), packetsReceived: count, selectedCandidatePairId: id }),
  z.object({
    type: z.literal("candidate-pair"),
    id: z.string(),
    localCandidateId: id,
    remoteCandidateId: id,
  }),
  z.object({ type: z.literal("local-candidate"), id: z.string(), candidateType: candidateKindSchema }),
  z.object({ type: z.literal("remote-candidate"), id: z.string(), candidateType: candidateKindSchema }),
]);
type Report = z.infer<typeof reportSchema>;

type Remote = Extract<Report, { type: "remote-inbound-rtp" }>;

/** What the library counts of one connection, asked for once a second; read between that as it was then. */
export class ConnectionFigures {
  readonly #candidates: RemoteCandidates;
  readonly #recent = new RecentCounts();
  readonly #loss = new LossReports();
  #counts: Counts = { sent: 0, received: 0, missed: 0 };
  #takenAt: number | null = null;
  #arrivalJitterMs: number | null = null;
  #remote: Remote | null = null;
  #transportPackets = 0;
  #lastHeardAtMs: number | null = null;
  #way: ConnectionStats["way"] = null;

  constructor(candidates: RemoteCandidates) {
    this.#candidates = candidates;
  }

  /** @returns whether sound came since the last time. */
  take(nowMs: number, wallMs: number, raw: Iterable<unknown>): boolean {
    const reports = [...raw].flatMap((one) => {
      const report = reportSchema.safeParse(one);
      return report.success ? [report.data] : [];
    });
    const before = this.#counts;
    const sentBefore = { atMs: this.#takenAt ?? wallMs, count: before.sent };
    const counts: Counts = { sent: 0, received: 0, missed: 0 };
    for (const report of reports) {
      if (report.type === "outbound-rtp") counts.sent += report.packetsSent;
      else if (report.type === "inbound-rtp") {
        counts.received += report.packetsReceived;
        counts.missed += Math.max(0, report.packetsLost);
        if (report.packetsReceived > 0 && report.jitter !== undefined)
          this.#arrivalJitterMs = Math.min(MAX_JITTER_MS, report.jitter * 1000);
      } else if (report.type === "transport") {
        if (report.packetsReceived > this.#transportPackets) this.#lastHeardAtMs = nowMs;
        this.#transportPackets = report.packetsReceived;
        this.#way = wayOf(report.selectedCandidatePairId, reports);
      }
    }
    const remote = reports.find((report) => report.type === "remote-inbound-rtp");
    if (remote && remote.timestamp !== this.#remote?.timestamp)
      this.#onReport(
        remote,
        nowMs,
        sentAt(remote.timestamp, sentBefore, { atMs: wallMs, count: counts.sent }),
      );
    this.#counts = counts;
    this.#takenAt = wallMs;
    this.#recent.take(nowMs, counts);
    return counts.received > before.received;
  }

  read(nowMs: number, open: boolean): ConnectionStats {
    const recent = this.#recent.since(nowMs, this.#counts);
    const way = open ? this.#way : null;
    const remote = this.#remote;
    return {
      packetsSent: this.#counts.sent,
      packetsSentRecently: recent.sent,
      packetsReceived: this.#counts.received,
      packetsMissed: this.#counts.missed,
      missedRecently: missedShare(recent),
      arrivalJitterMs: this.#arrivalJitterMs,
      lossFraction: remote?.fractionLost ?? null,
      lossRecently: this.#loss.recently(nowMs),
      lossInAll: this.#loss.inAll(),
      jitterMs: remote?.jitter === undefined ? null : Math.min(MAX_JITTER_MS, remote.jitter * 1000),
      reportedAtMs: this.#loss.reportedAtMs,
      roundTripMs:
        remote?.roundTripTime === undefined ? null : Math.min(MAX_ROUND_TRIP_MS, remote.roundTripTime * 1000),
      lastHeardAtMs: this.#lastHeardAtMs,
      relayed: isRelayed(way),
      way,
      candidatesUsed: this.#candidates.used,
      candidatesRefused: this.#candidates.refused,
    };
  }

  #onReport(remote: Remote, nowMs: number, sent: number): void {
    // The library says how many were lost, not of how many: those that were sent when the report came.
    if (sent > 0)
      this.#loss.take({ highestSequence: sent - 1, cumulativeLost: remote.packetsLost }, 0, nowMs);
    const measured = remote.roundTripTimeMeasurements > 0 ? remote.roundTripTime : undefined;
    this.#remote = { ...remote, roundTripTime: measured ?? this.#remote?.roundTripTime };
  }
}

interface Sent {
  atMs: number;
  count: number;
}

/** How many had been sent at a moment between two, for a stream that is even. */
function sentAt(atMs: number, before: Sent, after: Sent): number {
  const share = after.atMs > before.atMs ? (atMs - before.atMs) / (after.atMs - before.atMs) : 1;
  return Math.round(before.count + Math.min(1, Math.max(0, share)) * (after.count - before.count));
}

function wayOf(selected: string | undefined, reports: readonly Report[]): ConnectionStats["way"] {
  const pair = reports.find((report) => report.type === "candidate-pair" && report.id === selected);
  if (pair?.type !== "candidate-pair") return null;
  const kindOf = (which: string | undefined): NonNullable<ConnectionStats["way"]>["local"] | null => {
    for (const report of reports)
      if ((report.type === "local-candidate" || report.type === "remote-candidate") && report.id === which)
        return report.candidateType;
    return null;
  };
  const [local, remote] = [kindOf(pair.localCandidateId), kindOf(pair.remoteCandidateId)];
  return local && remote ? { local, remote } : null;
}
