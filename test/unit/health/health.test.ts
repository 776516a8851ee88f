import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { Tally } from "../../../src/base/tally.ts";
import { Health } from "../../../src/health/health.ts";
import type { BotStatus } from "../../../src/health/status.ts";
import { botStatus } from "../../fakes/bot-status.ts";

test("the pages tell what is, in a form for programs", async () => {
  let status: BotStatus = botStatus();
  let port = 0;
  const log = {
    ...silentLog,
    info: (_: string, fields = {}) => void ({ port } = fields as { port: number }),
  };
  const health = await Health.open({
    ...{ listen: { host: "127.0.0.1", port: 0 }, dataDir: "/", tally: new Tally(), clock: systemClock, log },
    ...{ status: () => status, recordingBytes: async () => 0, reports: async () => [] },
  });
  const get = async (page: string): Promise<[number, string, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${page}`);
    return [answer.status, answer.headers.get("content-type") ?? "", await answer.text()];
  };
  const lines = "application/x-ndjson";
  try {
    expect(await get("/readyz")).toEqual([200, lines, '{"ready":true}\n']);
    expect(await get("/healthz")).toEqual([200, "text/plain; charset=utf-8", "ok\n"]);
    status = botStatus({
      syncAgeMs: 100_000,
      syncTurnMs: 400_000,
      channels: [{ roomId: "!a:test", wanted: true, phase: "joining", stands: false, links: [] }],
    });
    const [code, type, text] = await get("/readyz");
    expect([code, type]).toEqual([503, lines]);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([
      { reason: "sync_stale", what: expect.stringContaining("100 s") },
      { reason: "channel_not_joined", what: "the bot is joining", room: "!a:test" },
    ]);
    expect((await get("/healthz"))[0]).toBe(503);
    const [metricsCode, metricsType, metrics] = await get("/metrics");
    expect([metricsCode, metricsType]).toEqual([200, expect.stringMatching(/^text\/plain; version=/)]);
    expect(metrics).toContain("voicebot_ready 0\n");
  } finally {
    await health.close();
  }
  await expect(get("/healthz")).rejects.toThrow("fetch failed");
});
