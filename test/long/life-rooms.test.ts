// One bot in three rooms at once: each hears its own, and what happens in one is not heard in another.
import { availableParallelism } from "node:os";
import { FaultScene, missedWhile, sleep, toneHeard } from "../support/fault-scene.ts";
import type { Member } from "../support/member.ts";

const TONES = [440, 700, 1100];
const HEARD_DB = -35;
const SILENT_DB = -65;
let scene: FaultScene;

beforeAll(async () => {
  scene = await FaultScene.start({ tones: TONES });
  // What three rooms make of the limit is in crowd.test.ts.
  await scene.synapse.exemptFromLimits(scene.botUser.userId);
}, 180_000);
afterAll(async () => scene?.close(), 60_000);

test("three rooms, three tunes, a recording in one of them; leaving one disturbs nobody", async () => {
  const { rooms, botKey, bot } = scene;
  const members: Member[] = [];
  for (const [index, roomId] of rooms.entries()) {
    const member = await scene.member(`member${index}`, roomId);
    await member.join();
    await scene.command(`!play tone${TONES[index]}`, /Now playing/, 60_000, roomId);
    await member.firstAudio(botKey, 0, 30_000);
    members.push(member);
  }
  const onlyTheirOwn = async (from = 0): Promise<void> => {
    for (const [index, member] of members.entries()) {
      if (index < from) continue;
      const levels = await Promise.all(TONES.map((tone) => toneHeard(member, botKey, tone)));
      for (const [other, level] of levels.entries()) {
        if (other === index) expect(level).toBeGreaterThan(HEARD_DB);
        else expect(level).toBeLessThan(SILENT_DB);
      }
    }
  };
  await sleep(5000);
  await onlyTheirOwn();

  const [first, second, third] = members as [Member, Member, Member];
  await third.speak({ tone: 300, levelDb: -20 });
  await scene.command("!record start", /Recording\./, 60_000, rooms[2]);
  const missed = await Promise.all(
    [second, third].map((member) =>
      missedWhile(member, botKey, async () => {
        await sleep(3000);
        if (member === second) await scene.host.sendText(rooms[0] ?? "", "!leave");
        await sleep(10_000);
      }),
    ),
  );
  for (const share of missed) expect(share).toBeLessThan(0.01);
  expect((await first.state()).peers[botKey]).not.toBe("connected");
  await onlyTheirOwn(1);
  await scene.command("!record stop", /Recording ended/, 60_000, rooms[2]);
  await scene.botSays(/The recording: /, 60_000, 0, rooms[2]);
  const files = scene.host.events.filter(
    ({ sender, content }) => sender === scene.botUser.userId && content["msgtype"] === "m.audio",
  );
  expect(files.length).toBeGreaterThan(0);
  expect(files.every(({ roomId }) => roomId === rooms[2])).toBe(true);
  expect(bot.mediaChildren()).toHaveLength(Math.min(2, availableParallelism()));
}, 300_000);
