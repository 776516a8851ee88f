import { readFileSync } from "node:fs";
import { silentLog } from "../../../src/base/log.ts";
import { Tally } from "../../../src/base/tally.ts";
import type { ChannelReport, MemberMedia } from "../../../src/diagnosis/report.ts";
import { tallied } from "../../../src/health/log-tally.ts";
import { Metrics } from "../../../src/health/metrics.ts";
import { METRICS, metricsTable, type MetricRow } from "../../../src/health/metrics-table.ts";
import type { BotStatus } from "../../../src/health/status.ts";
import { botStatus } from "../../fakes/bot-status.ts";
import { FakeClock } from "../../fakes/clock.ts";

let status: BotStatus;
let tally: Tally;
let clock: FakeClock;
let reports: ChannelReport[];
let metrics: Metrics;
beforeEach(() => {
  status = botStatus();
  tally = new Tally();
  clock = new FakeClock();
  reports = [];
  metrics = new Metrics({
    ...{ clock, tally, dataDir: "/", status: () => status },
    recordingBytes: () => Promise.resolve(4_096),
    reports: () => Promise.resolve(reports),
  });
});
afterEach(() => metrics.close());

async function read(): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

test("docs/METRICS.md has the table of the code", () => {
  const text = readFileSync(new URL("../../../docs/METRICS.md", import.meta.url), "utf8");
  expect(text).toContain(`\n${metricsTable()}\n`);
});

test("names follow the conventions of Prometheus", () => {
  for (const { name, type } of Object.values<MetricRow>(METRICS)) {
    expect(name).toMatch(/^voicebot_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
  }
});

test("what the bot is shows", async () => {
  const values = await read();
  const expected = {
    [`voicebot_info{version="1.2.3",node="${process.versions.node}",engine="libdatachannel"}`]: 1,
    voicebot_ready: 1,
    voicebot_sync_age_seconds: 12.4,
    voicebot_rooms: 3,
    'voicebot_channels{state="in"}': 1,
    'voicebot_channel_members{link="connected"}': 3,
    'voicebot_channel_members{link="offered"}': 1,
    'voicebot_channel_members{link="given_up"}': 0,
    voicebot_outbox_waiting: 2,
    voicebot_outbox_oldest_seconds: 1.5,
    voicebot_rate_limit_active: 1,
    voicebot_media_children: 1,
    voicebot_media_child_channels_max: 1,
    voicebot_recordings_running: 1,
    voicebot_recordings_running_bytes: 4_096,
    voicebot_deliveries_waiting: 2,
    'voicebot_memory_bytes{process="media"}': 70e6,
  };
  for (const [name, value] of Object.entries(expected))
    expect([name, values.get(name)]).toEqual([name, value]);
  expect(values.get("voicebot_data_free_bytes")).toBeGreaterThan(0);
  status = botStatus({ phase: "starting", memory: { control: 1, media: null } });
  const later = await read();
  expect(later.get("voicebot_ready")).toBe(0);
  expect([...later.keys()].filter((name) => name.includes('process="media"'))).toEqual([]);
});

test("what happened is counted from the log and by those who do it", async () => {
  const log = tallied(silentLog, tally).child({ room: "!r:test" });
  log.info("track_started", { track: "a" });
  log.info("track_ended", { track: "a", reason: "finished", positionMs: 1 });
  log.warn("track_failed", { track: "b", code: "media_unreadable" });
  log.info("track_ended", { track: "b", reason: "failed", positionMs: 1 });
  log.info("recording_delivered", { recording: "r", sent: 3, kept: 1 });
  log.info("media_child_exited", { code: 0 });
  log.error("media_child_exited", { signal: "SIGSEGV" });
  log.info("command", { name: "play", ok: true });
  log.error("export_failed", {});
  tally.count("event_sent", "refresh");
  tally.count("drop", "old_signal");
  tally.count("rate_limited", "429");
  for (let scrape = 0; scrape < 2; scrape++) {
    const values = await read();
    expect(values.get('voicebot_tracks_total{outcome="started"}')).toBe(1);
    expect(values.get('voicebot_tracks_total{outcome="finished"}')).toBe(1);
    expect(values.get('voicebot_tracks_total{outcome="failed"}')).toBe(1);
    expect(values.get('voicebot_recording_files_total{outcome="sent"}')).toBe(3);
    expect(values.get('voicebot_recording_files_total{outcome="kept"}')).toBe(1);
    expect(values.get("voicebot_media_child_failures_total")).toBe(1);
    expect(values.get("voicebot_exports_failed_total")).toBe(1);
    expect(values.get('voicebot_commands_total{command="play"}')).toBe(1);
    expect(values.get('voicebot_events_sent_total{kind="refresh"}')).toBe(1);
    expect(values.get('voicebot_drops_total{reason="old_signal"}')).toBe(1);
    expect(values.get("voicebot_rate_limited_total")).toBe(1);
    expect(values.get('voicebot_log_lines_total{event="media_child_exited"}')).toBe(2);
  }
});

test("how the sound of members travels is sampled, without a trace of who they are", async () => {
  let encoder: { bitrate: number; expectedLoss: number; fec: boolean } | null = {
    ...{ bitrate: 128_000, expectedLoss: 10, fec: true },
  };
  const report = (packets: number, more: Partial<MemberMedia> = {}): ChannelReport[] => {
    const media = { ...quiet, ...more };
    const counted = {
      ...media,
      outgoing: { ...media.outgoing, packets },
      incoming: { ...media.incoming, packets: 2 * packets },
    };
    return [
      {
        roomId: "!one:test",
        bot: { media: { engine: "fake", lateFrames: 3, encoder } },
        members: [
          { key: "X@ada:test", userId: "@ada:test", name: "Ada", link: "connected", media: counted },
          { key: "Y@bea:test", userId: "@bea:test", name: "Bea", link: "offered", media: null },
        ],
      } as unknown as ChannelReport,
    ];
  };
  reports = report(500);
  await clock.advance(10_000);
  let values = await read();
  expect(values.get("voicebot_rtp_packets_sent_total")).toBe(500);
  expect(values.get('voicebot_member_round_trip_seconds_bucket{le="0.05"}')).toBe(1);
  expect(values.get('voicebot_member_round_trip_seconds_bucket{le="0.02"}')).toBe(0);
  expect(values.get('voicebot_member_loss_ratio_bucket{le="0.05",direction="out"}')).toBe(1);
  expect(values.get('voicebot_member_loss_ratio_bucket{le="0.02",direction="out"}')).toBe(0);
  expect(values.get('voicebot_member_jitter_seconds_count{direction="in"}')).toBe(1);
  expect(values.get('voicebot_member_level_dbfs_bucket{le="-20"}')).toBe(1);
  expect(values.get('voicebot_connections{way="direct"}')).toBe(1);
  expect(values.get('voicebot_loss_protection{kind="red"}')).toBe(1);
  expect(values.get('voicebot_loss_protection{kind="fec"}')).toBe(1);
  encoder = null;
  reports = report(1_000, { relayed: true, outgoing: { ...quiet.outgoing, redundancy: 0 } });
  await clock.advance(10_000);
  // A new connection of the same member counts from nought.
  reports = report(100, { relayed: true, outgoing: { ...quiet.outgoing, redundancy: null } });
  await clock.advance(10_000);
  values = await read();
  expect(values.get("voicebot_rtp_packets_sent_total")).toBe(1_000 + 100);
  expect(values.get("voicebot_rtp_packets_received_total")).toBe(2_000 + 200);
  expect(values.get("voicebot_late_frames_total")).toBe(3);
  expect(values.get('voicebot_connections{way="direct"}')).toBe(0);
  expect(values.get('voicebot_loss_protection{kind="red"}')).toBe(0);
  expect(values.get('voicebot_loss_protection{kind="fec"}')).toBe(0);
  expect(values.get('voicebot_connections{way="relayed"}')).toBe(1);
  expect(await metrics.text()).not.toMatch(/@|!one|ada/i);
});

const quiet: MemberMedia = {
  ...{ way: null, relayed: false, candidates: { used: 1, refused: 0 }, roundTripMs: 30 },
  outgoing: {
    ...{ packets: 0, recentPackets: 500, loss: 0.04, lossInAll: 0.01, jitterMs: 3, reportAgeMs: 500 },
    redundancy: 2,
  },
  incoming: {
    ...{ packets: 0, loss: 0, lossInAll: 0, jitterMs: 4, packetAgeMs: 10, soundAgeMs: 10 },
    ...{ levelDbfs: -25, dtx: false },
  },
};

test("labels are bounded, whatever is counted", () => {
  for (let i = 0; i < 1000; i++) tally.count("drop", `reason${i}`);
  expect(tally.of("drop").size).toBeLessThanOrEqual(201);
  expect(tally.total("drop")).toBe(1000);
  expect(tally.total("drop", "other")).toBe(800);
});
