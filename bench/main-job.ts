// The figures of the main job, on real parts: a fresh bot from dist/, Synapse with default limits, a browser as member.
// `npm run bench` prints the table that docs/BENCHMARKS.md keeps. Nothing here passes or fails.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { Bot } from "../test/support/bot.ts";
import { concealmentBetween } from "../test/support/browser.ts";
import { sleep, Stage } from "../test/support/stage.ts";

const CONCEALMENT_MS = 120_000;
const STARTS = 5;
const PLAYS = 9;
const root = new URL("..", import.meta.url).pathname;

interface Row {
  what: string;
  figure: string;
  target: string;
}

const rows: Row[] = [];
const row = (what: string, figure: string, target = ""): void => {
  rows.push({ what, figure, target });
  console.error(`${what}: ${figure}`);
};
const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const spread = (values: number[], unit: string): string =>
  `${Math.round(median(values))} ${unit} (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}, n = ${values.length})`;

/** Resident memory in MB of a Node that has run `code` and then idles. */
function nodeMb(code: string): number {
  const script = `${code}; setTimeout(() => { console.log(process.memoryUsage.rss() / 1048576); process.exit(0); }, 1500)`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: root,
    encoding: "utf8",
  });
  return Number(stdout.trim());
}

const stage = await Stage.start();
try {
  const bareMb = nodeMb("0");
  const sdkMb = nodeMb('await import("matrix-bot-sdk")');

  const scene = await stage.scene();
  const startsMs: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    await scene.bot.stop();
    await scene.bot.startAgain();
    const [ready] = scene.bot.proc.jsonLines().filter((line) => line["event"] === "ready");
    startsMs.push(Number(ready?.["startupMs"]) - Number(ready?.["homeserverMs"]));
  }
  row("start of the program to ready, without the homeserver's answer", spread(startsMs, "ms"), "≤ 2000 ms");
  await sleep(3_000);
  const idleMb = Bot.rssMb(scene.bot.proc.pid);
  row("memory, idle: the one process", `${idleMb.toFixed(0)} MB`, "≤ 120 MB");
  row("… of which bare Node", `${bareMb.toFixed(0)} MB`);
  row("… bare Node with all of matrix-bot-sdk (the bot loads its HTTP part)", `${sdkMb.toFixed(0)} MB`);

  // One member is in the channel all the time. Commands are spaced so that the rate limit takes no part in the figures.
  const { page } = await scene.hostPage();
  await page.join();
  await scene.command("!volume 100", /100 %/);
  const joinAt = Date.now();
  await scene.host.sendText(scene.roomId, "!play first light");
  const joined = await page.firstSound(scene.botKey, joinAt, 20_000);
  row("!play to sound in the browser, joining the channel first", `${Math.round(joined - joinAt)} ms`);
  await page.until("connection", (state) => state.peers[scene.botKey]?.connection === "connected");

  await sleep(3_000);
  const before = await page.stats(scene.botKey);
  await sleep(70_000);
  const [child] = scene.bot.mediaChildren();
  const [mainMb, childMb] = [Bot.rssMb(scene.bot.proc.pid), Bot.rssMb(child ?? 0)];
  const middle = await page.stats(scene.botKey);
  row(
    "memory, playing: both processes",
    `${(mainMb + childMb).toFixed(0)} MB (${mainMb.toFixed(0)} + ${childMb.toFixed(0)})`,
    "≤ 200 MB",
  );

  const firstMs: number[] = [];
  for (let i = 0; i < PLAYS; i++) {
    await scene.host.sendText(scene.roomId, "!stop");
    await sleep(12_000);
    const from = scene.bot.proc.position;
    const sentAt = Date.now();
    await scene.host.sendText(scene.roomId, "!play small hours");
    const sound = await page.firstSound(scene.botKey, sentAt, 20_000);
    firstMs.push(sound - sentAt);
    await scene.bot.event("track_started", {}, 5_000, from);
  }
  row("!play to sound in the browser, already in the channel", spread(firstMs, "ms"), "≤ 400 ms");

  await scene.host.sendText(scene.roomId, "!stop");
  await sleep(12_000);
  await scene.host.sendText(scene.roomId, "!play first light");
  await page.firstSound(scene.botKey, Date.now() - 100, 20_000);
  await sleep(3_000);
  const later = await page.stats(scene.botKey);
  await sleep(CONCEALMENT_MS - 50_000 - 20_000);
  const last = await page.stats(scene.botKey);
  if (!before || !middle || !later || !last) throw new Error("the page lost its connection");
  const share = (70 * concealmentBetween(before, middle) + 50 * concealmentBetween(later, last)) / 120;
  row("concealed in the browser over 2 minutes of music", `${(share * 100).toFixed(3)} %`, "≤ 0.1 %");
  row("jitter buffer of the browser", `${last.jitterBufferMs.toFixed(0)} ms`);
} finally {
  await stage.close();
}

console.log(
  `\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, \`npm run bench\`\n`,
);
console.log("| figure | measured | to reach |\n| --- | --- | --- |");
for (const { what, figure, target } of rows) console.log(`| ${what} | ${figure} | ${target} |`);
