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

/** How often each way of joining is measured; `BENCH_JOINS=3` for a quick look. */
const JOINS = Number(process.env["BENCH_JOINS"] ?? 20);
/** The bot answers ten offers of one person a minute. */
const SPACED_MS = 6500;
const CROWD = 8;
const COUNT_MS = 120_000;

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
async function joins(scene: Scene, ear: Member): Promise<void> {
  const theyJoin: number[] = [];
  for (let i = 0; i < JOINS; i++) {
    await ear.leave();
    await sleep(SPACED_MS);
    const atMs = Date.now();
    await ear.join();
    theyJoin.push((await ear.firstAudio(scene.botKey, atMs, 60_000)) - atMs);
  }
  row("a member joins a channel in which the bot plays, to the bot's sound", spread(theyJoin));
  const weJoin: number[] = [];
  for (let i = 0; i < JOINS; i++) {
    const before = scene.host.position;
    await scene.host.sendText(scene.roomId, "!leave");
    await membership(scene, "LEFT", before);
    await sleep(2000);
    const atMs = Date.now();
    await scene.host.sendText(scene.roomId, "!play tone");
    weJoin.push((await ear.firstAudio(scene.botKey, atMs, 60_000)) - atMs);
  }
  row("the bot is told to play and joins a channel with a member in it, to its sound", spread(weJoin));
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

/** What a person's F5 costs them. */
async function reload(scene: Scene, page: PageMember): Promise<void> {
  const reloadedMs = Date.now();
  await page.reload();
  await page.join();
  const heardMs = await page.firstSound(scene.botKey, reloadedMs, 60_000);
  row(
    "page reloaded, with its start, and joined again: to sound in the browser",
    seconds(heardMs - reloadedMs),
  );
}

const directory = await mkdtemp(join(tmpdir(), "voicebot-bench-"));
const mediaDir = join(directory, "media");
const ended: (() => Promise<void>)[] = [];
try {
  await mkdir(mediaDir);
  makeTone(join(mediaDir, "tone.opus"));
  const stage = await Stage.start({ dir: join(directory, "synapse") });
  try {
    const scene = await stage.scene({ mediaDir, room: { open: true } });
    await stage.synapse.exemptFromLimits(scene.botUser.userId);
    const session = await stage.user("ear");
    await matrixRequest(session, "POST", `/_matrix/client/v3/join/${encodeURIComponent(scene.roomId)}`, {});
    const ear = await Member.start({ session, roomId: scene.roomId });
    ended.push(() => ear.kill());
    await ear.join();
    await scene.command("!play tone", /Now playing/);
    await ear.firstAudio(scene.botKey, 0, 30_000);
    await joins(scene, ear);
    await eventsOfACrowd(stage, scene);
    const { page } = await scene.hostPage();
    await page.join();
    await reload(scene, page);
  } finally {
    for (const end of ended) await end();
    await stage.close();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

console.log(
  `\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, \`npm run bench -- channel\`\n`,
);
console.log("| figure | measured |\n| --- | --- |");
for (const { what, figure } of rows) console.log(`| ${what} | ${figure} |`);
