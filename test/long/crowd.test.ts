// Crowds on Synapse with its default limits for the bot; the members are exempt, as a moderator can have it.
import type { Crowd, CrowdMemberState } from "../support/crowd.ts";
import { crowdScene, type CrowdScene } from "../support/crowd-scene.ts";
import { sleep } from "../support/stage.ts";

const REFILL_MS = 45_000;
let scene: CrowdScene | null = null;

afterEach(async () => {
  await scene?.close();
  scene = null;
});

/** The bot plays in a channel with one person in it (the last of the crowd), and its budget is full again. */
async function playing(size: number): Promise<{ crowd: Crowd; room: string; current: CrowdScene }> {
  scene = await crowdScene([size + 1]);
  const [room = ""] = scene.rooms;
  await scene.crowd.join(room, size);
  await scene.command(room, "!play tone", /Now playing/);
  await sleep(REFILL_MS);
  return { crowd: scene.crowd, room, current: scene };
}

const budgetTold = ({ bot }: CrowdScene): number =>
  bot.proc.jsonLines().filter((line) => line["event"] === "budget_degraded").length;
const lastMs = (members: readonly CrowdMemberState[], sinceMs: number): number =>
  Math.max(...members.map(({ firstPacketAtMs }) => (firstPacketAtMs ?? Infinity) - sinceMs));

test("8 members who join within 20 s all hear the bot within 60 s, and stay for 3 minutes", async () => {
  const { crowd, room } = await playing(8);
  const sinceMs = await crowd.joinAll(room, 8, 20_000);
  expect(lastMs(await crowd.allHear(room, 8, 60_000), sinceMs)).toBeLessThan(60_000);
  await crowd.mark();
  await sleep(180_000);
  const { members, longestRefreshMs, errors } = await crowd.state();
  expect(members.slice(0, 8).map(({ connection, connections }) => [connection, connections])).toEqual(
    Array.from({ length: 8 }, () => ["connected", 1]),
  );
  expect(Math.max(...members.map(({ longestGapMs }) => longestGapMs))).toBeLessThan(5000);
  expect(longestRefreshMs[room]).toBeLessThan(21_000);
  expect(errors).toEqual([]);
}, 600_000);

test("25 who join within a minute are all answered within 110 s", async () => {
  const { crowd, room, current } = await playing(25);
  const sinceMs = await crowd.joinAll(room, 25, 60_000);
  const members = await crowd.allHear(room, 25, 180_000);
  for (const { answeredAtMs, firstPacketAtMs } of members) {
    expect((answeredAtMs ?? firstPacketAtMs ?? Infinity) - sinceMs).toBeLessThan(110_000);
  }
  const { longestRefreshMs } = await crowd.state();
  expect(longestRefreshMs[room]).toBeLessThan(25_000);
  expect(budgetTold(current)).toBe(1);
}, 600_000);

test("three rooms at once: refreshes get longer, answers and LEFT do not wait, the operator is told once", async () => {
  scene = await crowdScene([15, 3, 3]);
  const { crowd, rooms, botKey, host } = scene;
  for (const room of rooms) {
    await crowd.joinAll(room, 2, 100);
    await scene.command(room, "!play tone", /Now playing/, 120_000);
    await crowd.allHear(room, 2, 60_000);
  }
  await sleep(120_000);
  for (const room of rooms) {
    await crowd.join(room, 2);
    const member = (await crowd.allHear(room, 3, 30_000))[2];
    expect((member?.firstPacketAtMs ?? Infinity) - (member?.joinedAtMs ?? 0)).toBeLessThan(20_000);
  }
  const { longestRefreshMs, members } = await crowd.state();
  for (const room of rooms) {
    expect(longestRefreshMs[room]).toBeGreaterThan(14_000);
    expect(longestRefreshMs[room]).toBeLessThan(30_000);
  }
  expect(members.filter(({ connection }) => connection === "connected")).toHaveLength(9);
  // More join one of them than the budget of three rooms has: now the homeserver refuses, and the operator must be told.
  const [room = "", ...others] = rooms;
  await crowd.mark();
  await crowd.joinLater(room, 3, 12, 3000);
  await crowd.allHear(room, 15, 150_000);
  const during = await crowd.state();
  for (const other of others) expect(during.longestRefreshMs[other]).toBeLessThan(60_000);
  expect(during.members.every(({ connection }) => connection === "connected")).toBe(true);
  expect(budgetTold(scene)).toBe(1);
  const after = host.position;
  await host.sendText(room, "!leave");
  await host.waitForEvent(
    (event) => event.stateKey === botKey && event.roomId === room && event.content["join_state"] === "LEFT",
    10_000,
    after,
  );
  // Once, and not again with every refusal.
  expect(budgetTold(scene)).toBe(1);
}, 900_000);
