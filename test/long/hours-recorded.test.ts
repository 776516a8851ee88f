import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { promisify } from "node:util";
import type { HourSample, HoursOptions } from "../support/hours-recorded.ts";

const run = promisify(execFile);
const MB = 2 ** 20;

test("20 speakers and music for 12 simulated hours, clips kept of all: memory grows by less than 20 MB", async () => {
  // In memory: 5.6 GB are written, and cut off again every ten minutes.
  const directory = await mkdtemp("/dev/shm/hours-");
  try {
    const options: HoursOptions = { directory, speakers: 20, hours: 12 };
    const script = new URL("../support/hours-recorded.ts", import.meta.url).pathname;
    // The young generation of the media child.
    const flags = ["--expose-gc", "--max-semi-space-size=1", "--disable-warning=ExperimentalWarning"];
    const { stdout } = await run(process.execPath, [...flags, script, JSON.stringify(options)], {
      env: { ...process.env, NODE_OPTIONS: "" },
      timeout: 3_000_000,
    });
    const samples = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as HourSample);
    const [first, last] = [samples[0]!, samples.at(-1)!];
    expect(last).toMatchObject({ hour: 12, failed: null });
    // Two of them left and came back every half hour, the last time as it ended.
    expect(last.files).toBe(21 + 2 * 23);
    expect(last.written).toBeGreaterThan(21 * 12 * 3_600 * 50 * 94);
    if (process.env["SHOW"])
      for (const { hour, rss, heapUsed, external } of samples)
        console.log(hour, ...[rss, heapUsed, external].map((bytes) => (bytes / MB).toFixed(1)));
    expect((last.rss - first.rss) / MB).toBeLessThan(20);
    expect((last.heapUsed - first.heapUsed) / MB).toBeLessThan(2);
    expect((last.external - first.external) / MB).toBeLessThan(1);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 3_000_000);
