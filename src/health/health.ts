import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";
import { Listener, TEXT, type Answer } from "./listener.ts";
import { Metrics } from "./metrics.ts";
import type { ChannelReport } from "../diagnosis/report.ts";
import { isAlive, notReady, type BotStatus } from "./status.ts";

export interface HealthDeps {
  listen: { host: string; port: number };
  status: () => BotStatus;
  recordingBytes: () => Promise<number>;
  dataDir: string;
  /** Of the channels that the bot is in. */
  reports: () => Promise<readonly ChannelReport[]>;
  tally: Tally;
  clock: Clock;
  log: Log;
}

/** What programs may ask the bot over HTTP: whether it lives, whether it is ready, and its metrics. */
export class Health {
  readonly #metrics: Metrics;
  readonly #listener: Listener;

  private constructor(deps: HealthDeps) {
    const { status, clock, listen } = deps;
    const metrics = new Metrics(deps);
    this.#metrics = metrics;
    this.#listener = new Listener({
      ...listen,
      clock,
      pages: {
        "/healthz": () => healthPage(status()),
        "/readyz": () => readyPage(status()),
        "/metrics": async () => ({
          status: 200,
          type: metrics.contentType,
          body: await metrics.text(),
        }),
      },
    });
  }

  /** @throws BotError when the address cannot be listened on */
  static async open(deps: HealthDeps): Promise<Health> {
    const health = new Health(deps);
    try {
      deps.log.info("health_listening", { ...(await health.#listener.open()) });
      return health;
    } catch (error) {
      await health.close();
      throw error;
    }
  }

  /** Idempotent, bounded. */
  async close(): Promise<void> {
    this.#metrics.close();
    await this.#listener.close();
  }
}

/** That it answers at all shows that the event loop turns. */
function healthPage(status: BotStatus): Answer {
  if (isAlive(status)) return { status: 200, type: TEXT, body: "ok\n" };
  return { status: 503, type: TEXT, body: "the sync loop is stuck\n" };
}

/** One JSON object a line: each reason, or `{"ready":true}`. */
function readyPage(status: BotStatus): Answer {
  const reasons = notReady(status);
  const lines = reasons.length === 0 ? [{ ready: true }] : reasons;
  return {
    status: reasons.length === 0 ? 200 : 503,
    type: "application/x-ndjson",
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  };
}
