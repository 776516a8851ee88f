import type { LinkPhase } from "../channel/session.ts";

/** One metric as operators see it. */
export interface MetricRow {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  /** Label names; the values are from fixed lists, never of people or rooms. */
  readonly labels: readonly string[];
  /** Upper bounds, of histograms. */
  readonly buckets?: readonly number[];
}

const gauge = (name: string, help: string, ...labels: string[]): MetricRow => ({
  ...{ name: `voicebot_${name}`, type: "gauge", help, labels },
});
const counter = (name: string, help: string, ...labels: string[]): MetricRow => ({
  ...{ name: `voicebot_${name}_total`, type: "counter", help, labels },
});
const histogram = (
  name: string,
  help: string,
  buckets: readonly number[],
  ...labels: string[]
): MetricRow => ({
  ...{ name: `voicebot_${name}`, type: "histogram", help, labels, buckets },
});

/** Every way in which it can stand with a member of a channel that the bot is in. */
export const LINKS = [
  ...(["connected", "interrupted", "connecting", "expected", "answering"] as const),
  ...(["offering", "offered", "given_up"] as const),
] satisfies LinkPhase[];

/** Every metric there is: the registry and docs/METRICS.md are made of this. */
export const METRICS = {
  info: gauge("info", "Always 1; what runs is in the labels.", "version", "node", "engine"),
  start: gauge("start_time_seconds", "When the bot started, Unix time."),
  ready: gauge("ready", "1 when /readyz says so: synced, and in every channel it is meant to be in."),
  syncAge: gauge("sync_age_seconds", "Since the homeserver last answered a sync; up to 20 s is normal."),
  rooms: gauge("rooms", "Rooms that the bot is in."),
  channels: gauge(
    "channels",
    "Voice channels by the bot's own state in them (joining, in, leaving).",
    "state",
  ),
  channelsWanted: gauge("channels_wanted", "Voice channels that the bot is meant to be in."),
  members: gauge(
    "channel_members",
    `Others in the channels that the bot is in, by how it stands with them (${LINKS.join(", ")}).`,
    "link",
  ),
  connections: gauge(
    "connections",
    "Connections to members by the way that they take (direct, relayed), as of the last sample.",
    "way",
  ),
  protection: gauge(
    "loss_protection",
    "Against members' loss, as of the last sample: members who get packets again (red), channels with in-band FEC (fec).",
    "kind",
  ),
  packetsSent: counter("rtp_packets_sent", "RTP packets sent to members, sampled every 10 s."),
  packetsReceived: counter("rtp_packets_received", "RTP packets received of members, sampled every 10 s."),
  lateFrames: counter("late_frames", "20 ms slots of outgoing sound that were late or left out."),
  roundTrip: histogram(
    "member_round_trip_seconds",
    "Round trip to each connected member, sampled every 10 s.",
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6],
  ),
  jitter: histogram(
    "member_jitter_seconds",
    "Jitter of the bot's sound at each member (out, by its reports) and of its sound here (in), sampled every 10 s.",
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
    "direction",
  ),
  loss: histogram(
    "member_loss_ratio",
    "Share of packets lost in the last 10 s, the bot's to each member (out, by its reports) and the member's (in).",
    [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    "direction",
  ),
  level: histogram(
    "member_level_dbfs",
    "Level of each member who sounded in the last 10 s, where a full-scale sine is -3.",
    [-90, -70, -60, -50, -40, -30, -20, -10, 0],
  ),
  outboxWaiting: gauge("outbox_waiting", "Events that wait to be sent, or are on their way."),
  outboxOldest: gauge("outbox_oldest_seconds", "How long the oldest of them has been waiting."),
  eventsSent: counter("events_sent", "Events that the homeserver has taken, by kind.", "kind"),
  rateLimited: counter("rate_limited", "Refusals of the homeserver for its rate limit (429)."),
  limited: gauge("rate_limit_active", "1 when the rate limit was met in the last ten minutes."),
  drops: counter("drops", "What came of the rooms and was not used, by reason.", "reason"),
  mediaUp: gauge("media_up", "1 when no media child is missing; 0 while one is being replaced."),
  mediaChildren: gauge("media_children", "Media children that run; 0 while no channel is open."),
  mediaChannels: gauge("media_child_channels_max", "Channels in the fullest media child."),
  mediaFailures: counter("media_child_failures", "Media children that ended without having been asked to."),
  recordings: gauge("recordings_running", "Recordings that run."),
  recordingBytes: gauge("recordings_running_bytes", "What the running recordings have written so far."),
  deliveries: gauge("deliveries_waiting", "Recordings that are exported or delivered, or wait for it."),
  files: counter(
    "recording_files",
    "Files of recordings by what became of them (sent; kept: could not be sent, they stay in the data folder).",
    "outcome",
  ),
  exportsFailed: counter("exports_failed", "Recordings, or their mixes, that could not be prepared."),
  tracks: counter(
    "tracks",
    "Tracks played by what became of them (started, finished, stopped, replaced, failed).",
    "outcome",
  ),
  commands: counter("commands", "Commands that people gave, by name.", "command"),
  loopLag: gauge(
    "event_loop_lag_seconds",
    "How late the control process' event loop was since the last scrape (mean, p99, max).",
    "stat",
  ),
  unmeasured: gauge(
    "library_unmeasured_files",
    "Files of the media folder of which the loudness is still to be measured in the background.",
  ),
  memory: gauge(
    "memory_bytes",
    "Resident memory by process (control; media: all media children).",
    "process",
  ),
  dataFree: gauge("data_free_bytes", "Free space where the data folder is."),
  logLines: counter("log_lines", "Lines of the log (debug aside) by event.", "event"),
} as const satisfies Record<string, MetricRow>;

/** docs/METRICS.md's table, as prettier would leave it. */
export function metricsTable(): string {
  const rows: string[][] = Object.values<MetricRow>(METRICS).map(({ name, type, labels, help }) => [
    ...[`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(", "), help],
  ]);
  const table = [["metric", "type", "labels", "meaning"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[], fill: string): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0, fill)).join(" | ")} |`;
  const [head = [], ...body] = table.map((row) => line(row, " "));
  return [head, line(["", "", "", ""], "-"), ...body].join("\n");
}
