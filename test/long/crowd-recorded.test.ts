// Many people on Synapse's default limits for the bot. The whole of it (more people, longer) is test/long/crowd.test.ts.
import type { CrowdMemberState } from "../support/crowd.ts";
import { crowdScene } from "../support/crowd-scene.ts";
import { sleep } from "../support/stage.ts";

const heardAfterMs = ({ firstPacketAtMs, joinedAtMs }: CrowdMemberState): number =>
  (firstPacketAtMs ?? Infinity) - (joinedAtMs ?? 0);

test("6 in the channel, a recording starts, 5 more join: all hear the bot, the notices are few and come later", async () => {
  const scene = await crowdScene([11]);
  try {
    const [room = ""] = scene.rooms;
    const { crowd } = scene;
    await crowd.join(room, 0);
    await scene.command(room, "!play tone", /Now playing/);
    await crowd.joinAll(room, 6, 6000);
    await crowd.allHear(room, 6, 30_000);
    await scene.command(room, "!record start", /Recording/);
    await crowd.joinLater(room, 6, 5, 3000);
    const members = await crowd.allHear(room, 11, 40_000);
    expect(Math.max(...members.map(heardAfterMs))).toBeLessThan(40_000);
    await scene.host.waitForMessage(room, /this voice channel is being recorded/, 60_000);
    await crowd.mark();
    await sleep(8000);
    const { members: later, longestRefreshMs, errors } = await crowd.state();
    expect(later.map(({ connection }) => connection)).toEqual(later.map(() => "connected"));
    // No timed assertion but "it flows": a stop of the machine is seconds, a lost connection for ever.
    expect(Math.max(...later.map(({ longestGapMs }) => longestGapMs))).toBeLessThan(5000);
    expect(longestRefreshMs[room]).toBeLessThan(25_000);
    expect(errors).toEqual([]);
    expect(scene.said(room).filter((text) => text.includes("is being recorded")).length).toBeLessThanOrEqual(
      3,
    );
  } finally {
    await scene.close();
  }
}, 240_000);
