// Eight rooms on two media children, each with a member who counts packets: what happens to one child is heard in its rooms
// alone, and there for seconds.
import { setTimeout as sleep } from "node:timers/promises";
import { crowdScene, type CrowdScene } from "../support/crowd-scene.ts";
import type { CrowdMemberState } from "../support/crowd.ts";

const ROOMS = 8;
const FRAME_MS = 20;
/** Packets on their way, or waiting for members who count in a process that does other things too. */
const ON_THE_WAY = 15;
let scene: CrowdScene;

beforeAll(async () => {
  scene = await crowdScene(
    Array.from({ length: ROOMS }, () => 1),
    // What several rooms make of the limit is in crowd.test.ts.
    { env: { VOICEBOT_MEDIA_CHILDREN: "2" }, exempt: true },
  );
  for (const room of scene.rooms) {
    await scene.crowd.join(room, 0);
    await scene.command(room, "!play tone", /Now playing/);
    await scene.crowd.allHear(room, 1, 30_000);
  }
}, 300_000);
afterAll(async () => scene?.close(), 60_000);

const members = async (): Promise<readonly CrowdMemberState[]> => (await scene.crowd.state()).members;

/** Does something to a child; waits until half of the members have a new connection with packets. */
async function strike(signal: NodeJS.Signals, withinMs: number): Promise<void> {
  const children = scene.bot.mediaChildren();
  expect(children).toHaveLength(2);
  const [struck = 0, other] = children;
  await scene.crowd.mark();
  const before = new Map((await members()).map((each) => [each.roomId, each]));
  const atMs = Date.now();
  process.kill(struck, signal);
  const isNew = ({ roomId, connections }: CrowdMemberState): boolean =>
    connections > (before.get(roomId)?.connections ?? Infinity);
  const sounds = (each: CrowdMemberState): boolean =>
    isNew(each) && each.connection === "connected" && Date.now() - (each.lastPacketAtMs ?? 0) < 500;
  while ((await members()).filter(sounds).length < ROOMS / 2) {
    if (Date.now() - atMs > withinMs)
      throw new Error(`not all sound again: ${JSON.stringify(await scene.crowd.state())}`);
    await sleep(100);
  }
  const tookMs = Date.now() - atMs;
  await sleep(10_000);
  const due = Math.floor((Date.now() - atMs) / FRAME_MS);
  const after = await members();
  const others = after.filter((each) => !isNew(each));
  const came = others.map(({ roomId, packets }) => packets - (before.get(roomId)?.packets ?? 0));
  const gapMs = Math.max(...others.map(({ longestGapMs }) => longestGapMs));
  console.log(
    `${signal}: its rooms sound again after ${tookMs} ms; the others had ${came.join(", ")} of ${due} packets, ` +
      `none for ${Math.round(gapMs)} ms at most`,
  );
  expect(after.filter(sounds)).toHaveLength(ROOMS / 2);
  expect(others).toHaveLength(ROOMS / 2);
  for (const packets of came) expect(packets).toBeGreaterThan(due - ON_THE_WAY);
  expect(scene.bot.mediaChildren()).toHaveLength(2);
  expect(scene.bot.mediaChildren()).toContain(other);
  expect(scene.bot.mediaChildren()).not.toContain(struck);
}

test("eight rooms are on two children, as !status tells", async () => {
  expect(scene.bot.mediaChildren()).toHaveLength(2);
  await scene.command(
    scene.rooms[0] ?? "",
    "!status",
    /audio processes: 2 \(.*\), \d+ MB, 0 unexpected ends/,
  );
});

test("one is killed: its four rooms sound again, the others go on without a gap", async () => {
  await strike("SIGKILL", 30_000);
}, 120_000);

test("one hangs: it is replaced, its four rooms sound again, the others go on without a gap", async () => {
  await strike("SIGSTOP", 40_000);
  await scene.command(
    scene.rooms[0] ?? "",
    "!status",
    /audio processes: 2 \(.*\), \d+ MB, 2 unexpected ends/,
  );
}, 120_000);

test("a minute after the last channel was left there is none", async () => {
  for (const room of scene.rooms) await scene.host.sendText(room, "!leave");
  const deadline = Date.now() + 90_000;
  while (scene.bot.mediaChildren().length > 0) {
    if (Date.now() > deadline) throw new Error("the children stay");
    await sleep(500);
  }
}, 120_000);
