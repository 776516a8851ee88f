// The figures of the voice channel, on real parts: a bot from dist/, Synapse, a browser, a crowd of headless members.
// `npm run bench -- channel` prints the tables that docs/BENCHMARKS.md keeps. Nothing here passes or fails.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { PageMember } from "../test/support/browser.ts";
import { Crowd } from "../test/support/crowd.ts";
import { Member } from "../test/support/member.ts";
import { matrixRequest } from "../test/support/people.ts";
import { makeTone } from "../test/support/crowd-scene.ts";
import { sleep, Stage, type Scene } from "../test/support/stage.ts";
import { startSynapse, type Synapse } from "../test/support/synapse.ts";

/** How often each way of joining is measured; `BENCH_JOINS=3` for a quick look. */
const JOINS = Number(process.env["BENCH_JOINS"] ?? 20);
/** The bot answers ten offers of one person a minute. */
const SPACED_MS = 6500;
const CROWD = 8;
const COUNT_MS = 120_000;
const AWAY_MS = 120_000;

interface Row {
  what: string;
  figure: string;
}

const rows: Row[] = [];
const row = (what: string, figure: string): void => {
  rows.push({ what, figure });
  console.error(`${what}: ${figure}`);
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const spread = (values: readonly number[]): string =>
  `median ${Math.round(median(values))} ms, worst ${Math.round(Math.max(...values))} ms (n = ${values.length})`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Events that the bot has written into the room, joins of the room aside. */
function written(scene: Scene, type = ""): number {
  return scene.host.events.filter(
    (event) =>
      event.roomId === scene.roomId &&
      event.sender === scene.botUser.userId &&
      event.type.startsWith(type === "" ? "de.mtorials" : type),
  ).length;
}

/** Both ways of joining; the limit takes no part, so that only the protocol and the media are measured. */
async function joins(stage: Stage, scene: Scene, page: PageMember): Promise<void> {
  await page.join();
  await scene.command("!play tone", /Now playing/);
  await page.firstSound(scene.botKey, 0, 20_000);
  const theyJoin: number[] = [];
  for (let i = 0; i < JOINS; i++) {
    await page.leave();
    await sleep(SPACED_MS);
    const atMs = Date.now();
    await page.join();
    theyJoin.push((await page.firstSound(scene.botKey, atMs, 30_000)) - atMs);
  }
  row("a browser joins a channel in which the bot plays, to its sound", spread(theyJoin));
  const session = await stage.user("ear");
  await matrixRequest(session, "POST", `/_matrix/client/v3/join/${encodeURIComponent(scene.roomId)}`, {});
  const member = await Member.start({ session, roomId: scene.roomId });
  try {
    await member.join();
    const weJoin: number[] = [];
    for (let i = 0; i < JOINS; i++) {
      const before = scene.host.position;
      await scene.host.sendText(scene.roomId, "!leave");
      await membership(scene, "LEFT", before);
      await sleep(2000);
      const atMs = Date.now();
      await scene.host.sendText(scene.roomId, "!play tone");
      weJoin.push((await member.firstAudio(scene.botKey, atMs, 60_000)) - atMs);
    }
    row(
      "the bot is told to play and joins a browser and a headless member, to the latter's sound",
      spread(weJoin),
    );
  } finally {
    await member.stop();
  }
}

async function membership(scene: Scene, joinState: "JOINED" | "LEFT", after: number): Promise<number> {
  const { originServerTs } = await scene.host.waitForEvent(
    ({ stateKey, content }) => stateKey === scene.botKey && content["join_state"] === joinState,
    20_000,
    after,
  );
  return originServerTs;
}

async function eventsOfACrowd(stage: Stage, scene: Scene): Promise<void> {
  const crowd = await Crowd.start({
    synapse: stage.synapse,
    host: scene.hostUser,
    rooms: [{ roomId: scene.roomId, size: CROWD }],
    botKeys: [scene.botKey],
  });
  try {
    const before = written(scene, "de.mtorials.test.call");
    await crowd.joinAll(scene.roomId, CROWD, 8000);
    await crowd.allHear(scene.roomId, CROWD, 60_000);
    const states = (): number => written(scene, "de.mtorials.test.callstate");
    const signals = written(scene, "de.mtorials.test.call") - before;
    const [startMs, startStates, startAll] = [Date.now(), states(), written(scene)];
    await sleep(COUNT_MS);
    const minutes = (Date.now() - startMs) / 60_000;
    const refreshes = (states() - startStates) / minutes;
    const others = (written(scene) - startAll) / minutes - refreshes;
    row(
      `events of the bot for each of ${CROWD} members who join (answer, offers)`,
      (signals / CROWD).toFixed(2),
    );
    row(
      `events of the bot a minute with ${CROWD + 1} members: refreshes, all else`,
      `${refreshes.toFixed(2)}, ${others.toFixed(2)}`,
    );
    row("… for each member and minute", ((refreshes + others) / (CROWD + 1)).toFixed(2));
  } finally {
    await crowd.kill();
  }
}

/** From the end of the fault to the sound in the browser. */
async function faults(scene: Scene, page: PageMember): Promise<void> {
  const sound = async (what: string, sinceMs: number, timeoutMs = 120_000): Promise<void> => {
    row(what, seconds((await page.firstSound(scene.botKey, sinceMs, timeoutMs)) - sinceMs));
    await sleep(5000);
  };
  const [child] = scene.bot.mediaChildren();
  const killedMs = Date.now();
  if (child !== undefined) process.kill(child, "SIGKILL");
  // What its jitter buffer still plays is not meant.
  await sound("media child killed", killedMs + 500);

  await scene.bot.kill();
  await sleep(500);
  let startedMs = Date.now();
  await scene.bot.startAgain();
  await sound("bot killed, started again after 0.5 s: from the start", startedMs);

  await scene.bot.kill();
  await sleep(60_000);
  startedMs = Date.now();
  await scene.bot.startAgain();
  await sound("bot killed, started again after 60 s: from the start", startedMs);

  const reloadedMs = Date.now();
  await page.reload();
  await page.join();
  await sound("page reloaded (with its start) and joined again", reloadedMs + 300);
}

/** The homeserver stops and comes back; media must go on meanwhile. */
async function homeserverAway(
  scene: Scene,
  page: PageMember,
  synapse: Synapse,
  awayMs: number,
): Promise<Synapse> {
  const { dir, baseUrl } = synapse;
  const before = await page.stats(scene.botKey);
  await synapse.stop();
  await sleep(awayMs);
  const again = await startSynapse({ dir, port: Number(new URL(baseUrl).port) });
  const sinceMs = Date.now();
  const during = await page.stats(scene.botKey);
  const same = before !== null && during !== null && during.packetsReceived > before.packetsReceived;
  row(`homeserver away for ${Math.round(awayMs / 1000)} s: music meanwhile`, same ? "goes on" : "stopped");
  await page.leave().catch(() => {});
  await page.join();
  const heardMs = await page.firstSound(scene.botKey, sinceMs + 500, 120_000);
  row(
    "… then the browser leaves and joins: from the homeserver's return to sound",
    seconds(heardMs - sinceMs),
  );
  return again;
}

const directory = await mkdtemp(join(tmpdir(), "voicebot-bench-"));
const mediaDir = join(directory, "media");
let later: Synapse | null = null;
try {
  await mkdir(mediaDir);
  makeTone(join(mediaDir, "tone.opus"));
  const stage = await Stage.start({ dir: join(directory, "synapse") });
  try {
    const scene = await stage.scene({ mediaDir, room: { open: true } });
    await stage.synapse.exemptFromLimits(scene.botUser.userId);
    const { page } = await scene.hostPage();
    await joins(stage, scene, page);
    await eventsOfACrowd(stage, scene);
    await faults(scene, page);
    later = await homeserverAway(scene, page, stage.synapse, 2000);
    later = await homeserverAway(scene, page, later, AWAY_MS);
  } finally {
    await stage.close();
  }
} finally {
  await later?.stop();
  await rm(directory, { recursive: true, force: true });
}

console.log(
  `\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, \`npm run bench -- channel\`\n`,
);
console.log("| figure | measured |\n| --- | --- |");
for (const { what, figure } of rows) console.log(`| ${what} | ${figure} |`);
