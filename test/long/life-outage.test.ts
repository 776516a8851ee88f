// The homeserver goes and comes back while people listen.
import { FaultScene, missedWhile, sleep } from "../support/fault-scene.ts";
import { Bot } from "../support/bot.ts";

const AWAY_MS = 120_000;
let scene: FaultScene | null = null;

afterEach(async () => {
  await scene?.close();
  scene = null;
});

test.each([
  ["restarted", 0],
  ["away for two minutes", AWAY_MS],
])(
  "Synapse %s: the music has no gap, nobody is thrown out, no storm, and newcomers are served soon",
  async (_, awayMs) => {
    scene = await FaultScene.start();
    const current = scene;
    const { botKey, gateway, bot, host } = scene;
    const [ear, newcomer] = [await scene.member("ear"), await scene.member("newcomer")];
    await ear.join();
    await scene.command("!play tone440", /Now playing/);
    await ear.firstAudio(botKey, 0, 30_000);
    await ear.connected(botKey);
    // The budget is full again, so that the limit has no part in what follows.
    await sleep(30_000);
    const { position } = host;
    const startedMs = Date.now();
    const lines = bot.proc.position;
    const rssMb = Bot.rssMb(bot.proc.pid);
    let backMs = 0;
    const missed = await missedWhile(ear, botKey, async () => {
      await current.stopSynapse();
      await sleep(awayMs);
      await current.startSynapse();
      backMs = Date.now();
      await newcomer.join();
      await newcomer.firstAudio(botKey, backMs, 15_000);
      await sleep(60_000);
    });
    expect(missed).toBeLessThan(0.01);
    // A few seconds between two questions while it was away, and four requests a minute and the refreshes after.
    expect(gateway.requests.filter(({ atMs }) => atMs >= startedMs && atMs < backMs).length).toBeLessThan(
      20 + (backMs - startedMs) / 1500,
    );
    expect(gateway.count(backMs)).toBeLessThan(60);
    expect(scene.written(position)).toBeLessThan(12);
    expect(scene.memberships(position).every((state) => state === "JOINED")).toBe(true);
    const gone = bot.proc.lines.filter(({ number, text }) => number >= lines && text.includes("member.left"));
    expect(gone).toEqual([]);
    expect((await ear.state()).peers).toEqual({ [botKey]: "connected", [newcomer.key]: expect.anything() });
    expect(scene.told("homeserver_unreachable", "sync_failed")).toBe(1);
    expect(scene.told("homeserver_back")).toBe(1);
    expect(Bot.rssMb(bot.proc.pid)).toBeLessThan(rssMb + 40);
  },
  600_000,
);
