// What listeners hear of a bot that stands still now and then, in real parts: the bot from dist/, Synapse, a browser that
// counts what its decoder makes up. `npm run bench -- stalls` prints the table that docs/BENCHMARKS.md keeps. A process is
// stopped as a whole (SIGSTOP), its network threads included, which is worse than a blocked event loop. Nothing here passes
// or fails.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { concealmentBetween, type PageMember, type PeerStats } from "../test/support/browser.ts";
import { makeTone } from "../test/support/crowd-scene.ts";
import { sleep, Stage } from "../test/support/stage.ts";

/** How long each row is measured; `BENCH_SECONDS=20` for a quick look. */
const MEASURED_MS = Number(process.env["BENCH_SECONDS"] ?? 120) * 1000;
/** For the browser to get used to what follows. */
const SETTLE_MS = 15_000;
const EVERY_MS = 1000;

interface Row {
  what: string;
  concealed: string;
  jitterBuffer: string;
  stall: string;
}

const rows: Row[] = [];

/** Stops a process for `forMs` in each second, until `work` is done. @returns how long it stood still, each time */
async function stalling(pid: number | null, forMs: number, work: () => Promise<void>): Promise<number[]> {
  const stood: number[] = [];
  const still = new Int32Array(new SharedArrayBuffer(4));
  const timer = setInterval(() => {
    if (pid === null) return;
    const fromMs = performance.now();
    process.kill(pid, "SIGSTOP");
    // Exact, unlike a timer of an event loop that has other things to do.
    Atomics.wait(still, 0, 0, forMs);
    process.kill(pid, "SIGCONT");
    stood.push(performance.now() - fromMs);
  }, EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return stood;
}

/** @param pid of the process that stands still for `forMs` in each second; null: none does */
async function measured(
  what: string,
  { page, botKey }: { page: PageMember; botKey: string },
  pid: number | null,
  forMs: number,
): Promise<void> {
  let [before, after]: (PeerStats | null)[] = [null, null];
  const stood = await stalling(pid, forMs, async () => {
    await sleep(SETTLE_MS);
    before = await page.stats(botKey);
    await sleep(MEASURED_MS);
    after = await page.stats(botKey);
  });
  if (!before || !after) throw new Error("the page lost its connection");
  const row = {
    what,
    concealed: `${(concealmentBetween(before, after) * 100).toFixed(3)} %`,
    jitterBuffer: `${jitterBufferBetween(before, after).toFixed(0)} ms`,
    stall:
      stood.length === 0
        ? "never"
        : `${stood.length} times ${Math.min(...stood).toFixed(0)} to ${Math.max(...stood).toFixed(0)} ms`,
  };
  rows.push(row);
  console.error(Object.values(row).join(", "));
}

/** Mean delay of the browser's jitter buffer between two readings, in ms. */
function jitterBufferBetween(before: PeerStats, after: PeerStats): number {
  const emitted = after.jitterBufferEmitted - before.jitterBufferEmitted;
  return (after.jitterBufferDelayMs - before.jitterBufferDelayMs) / emitted;
}

const directory = await mkdtemp(join(tmpdir(), "voicebot-bench-"));
const mediaDir = join(directory, "media");
try {
  await mkdir(mediaDir);
  makeTone(join(mediaDir, "tone.opus"));
  const stage = await Stage.start({ dir: join(directory, "synapse") });
  try {
    const scene = await stage.scene({ mediaDir });
    const { page } = await scene.hostPage();
    await page.join();
    await scene.command("!play tone", /Now playing/);
    await page.firstSound(scene.botKey, 0);
    const [child = null] = scene.bot.mediaChildren();
    const { botKey, bot } = scene;
    const listener = { page, botKey };
    await measured("nothing", listener, null, 0);
    await measured("the control process", listener, bot.pid, 200);
    await measured("the media child", listener, child, 50);
  } finally {
    await stage.close();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

console.log(
  `\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, \`npm run bench -- stalls\`\n`,
);
console.log(
  "| what stands still each second | how often and how long | concealed in the browser | its jitter buffer |",
);
console.log("| --- | --- | --- | --- |");
for (const { what, stall, concealed, jitterBuffer } of rows)
  console.log(`| ${what} | ${stall} | ${concealed} | ${jitterBuffer} |`);
