import { statfs } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../base/clock.ts";
import type { Counted, Tally } from "../base/tally.ts";
import type { ChannelReport } from "../diagnosis/report.ts";
import { LINKS, METRICS, type MetricRow } from "./metrics-table.ts";
import { MemberSampler } from "./member-sampler.ts";
import { notReady, type BotStatus } from "./status.ts";

export interface MetricsDeps {
  clock: Clock;
  tally: Tally;
  status: () => BotStatus;
  /** Bytes that running recordings have written. */
  recordingBytes: () => Promise<number>;
  dataDir: string;
  /** Of the channels that the bot is in. */
  reports: () => Promise<readonly ChannelReport[]>;
}

type Name = keyof typeof METRICS;

const LAG_RESOLUTION_MS = 50;

/** The only file that loads prom-client, which an idle bot has no use for. Everything is read when somebody asks. */
export class Metrics {
  readonly #deps: MetricsDeps;
  readonly #registry = new Registry();
  readonly #gauges = new Map<Name, Gauge>();
  readonly #counters = new Map<Name, Counter>();
  readonly #histograms = new Map<Name, Histogram>();
  readonly #sampler: MemberSampler;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #scrape: Promise<string> | null = null;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    const registers = [this.#registry];
    for (const [key, row] of Object.entries(METRICS) as [Name, MetricRow][]) {
      const { name, help, type, labels, buckets = [] } = row;
      const options = { name, help, registers, labelNames: [...labels] };
      if (type === "gauge") this.#gauges.set(key, new Gauge(options));
      else if (type === "counter") this.#counters.set(key, new Counter(options));
      else this.#histograms.set(key, new Histogram({ ...options, buckets: [...buckets] }));
    }
    this.#lag.enable();
    this.#sampler = new MemberSampler({
      clock: deps.clock,
      reports: deps.reports,
      count: (what, by) => this.#counters.get(what)?.inc(by),
      observe: (what, value, labels) => this.#histograms.get(what)?.observe({ ...labels }, value),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text that Prometheus reads. Whoever asks while it is made gets the same. */
  text(): Promise<string> {
    this.#scrape ??= this.#collect().finally(() => {
      this.#scrape = null;
    });
    return this.#scrape;
  }

  /** Idempotent. */
  close(): void {
    this.#lag.disable();
    this.#sampler.close();
    this.#registry.clear();
  }

  async #collect(): Promise<string> {
    const { status: read, clock, recordingBytes, dataDir } = this.#deps;
    const status = read();
    const { version, media, memory, outbox, recordings, channels } = status;
    this.#set("info", 1, { version, node: process.versions.node, engine: media.engine ?? "none" });
    this.#set("start", (clock.wall() - status.uptimeMs) / 1000);
    this.#set("ready", Number(notReady(status).length === 0));
    if (status.syncAgeMs !== null) this.#set("syncAge", status.syncAgeMs / 1000);
    this.#set("rooms", status.rooms);
    this.#set("channelsWanted", channels.filter(({ wanted }) => wanted).length);
    for (const state of ["joining", "in", "leaving"] as const)
      this.#set("channels", channels.filter(({ phase }) => phase === state).length, { state });
    const links = channels.filter(({ phase }) => phase === "in").flatMap(({ links: each }) => each);
    for (const link of LINKS) this.#set("members", links.filter((each) => each === link).length, { link });
    const { direct, relayed } = this.#sampler.ways;
    this.#set("connections", direct, { way: "direct" });
    this.#set("connections", relayed, { way: "relayed" });
    for (const kind of ["red", "fec"] as const)
      this.#set("protection", this.#sampler.protection[kind], { kind });
    this.#set("outboxWaiting", outbox.waiting);
    this.#set("outboxOldest", outbox.oldestMs / 1000);
    this.#set("limited", Number(outbox.limited));
    this.#set("mediaUp", Number(media.state === "up"));
    this.#set("mediaChildren", media.children.length);
    this.#set("mediaChannels", Math.max(0, ...media.children.map((child) => child.rooms)));
    this.#set("recordings", recordings.running);
    this.#set("deliveries", recordings.waiting);
    this.#set("unmeasured", status.levels?.waiting ?? 0);
    this.#set("memory", memory.control, { process: "control" });
    this.#gauges.get("memory")?.remove({ process: "media" });
    if (memory.media !== null) this.#set("memory", memory.media, { process: "media" });
    this.#collectCounts();
    this.#collectLag();
    this.#set("recordingBytes", await recordingBytes().catch(() => 0));
    const disk = await statfs(dataDir).catch(() => null);
    if (disk) this.#set("dataFree", disk.bavail * disk.bsize);
    return this.#registry.metrics();
  }

  #collectCounts(): void {
    const { tally } = this.#deps;
    this.#copy("eventsSent", "event_sent", "kind");
    this.#copy("drops", "drop", "reason");
    this.#copy("files", "file", "outcome");
    this.#copy("tracks", "track", "outcome");
    this.#copy("commands", "command", "command");
    this.#copy("logLines", "log", "event");
    this.#total("rateLimited", tally.total("rate_limited"));
    this.#total("exportsFailed", tally.total("log", "export_failed"));
    this.#total("mediaFailures", tally.total("child_failed"));
  }

  #collectLag(): void {
    const { mean, max } = this.#lag;
    // The histogram's values contain the interval itself.
    const late = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000) : 0;
    this.#set("loopLag", late(mean), { stat: "mean" });
    this.#set("loopLag", late(this.#lag.percentile(99)), { stat: "p99" });
    this.#set("loopLag", late(max), { stat: "max" });
    this.#lag.reset();
  }

  #set(name: Name, value: number, labels: Record<string, string> = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #total(name: Name, value: number): void {
    const counter = this.#counters.get(name);
    counter?.reset();
    counter?.inc(value);
  }

  #copy(name: Name, what: Counted, label: string): void {
    const counter = this.#counters.get(name);
    counter?.reset();
    for (const [value, count] of this.#deps.tally.of(what)) counter?.inc({ [label]: value }, count);
  }
}
