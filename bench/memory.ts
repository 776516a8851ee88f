// Whether the bot grows: it plays to a channel that people keep joining and leaving, and now and then records it. After every
// minute both processes collect their garbage and say what they hold. `npm run bench -- memory` takes 70 minutes
// (`BENCH_MINUTES=5 BENCH_CYCLES=20` for a look) and leaves bench/results/memory.json. Nothing here passes or fails.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bot } from "../test/support/bot.ts";
import { Crowd } from "../test/support/crowd.ts";
import { makeTone } from "../test/support/crowd-scene.ts";
import { Person } from "../test/support/people.ts";
import { sleep } from "../test/support/stage.ts";
import { startSynapse } from "../test/support/synapse.ts";
import type { MemoryFigures, MemorySample } from "./support/figures.ts";
import { askHeld, probeEnv } from "./support/held.ts";
import { environment, writeResult } from "./support/results.ts";

const MINUTES = Number(process.env["BENCH_MINUTES"] ?? 60);
const CYCLES = Number(process.env["BENCH_CYCLES"] ?? 200);
/** The bot answers ten offers of one person a minute: with so many each comes every 24 s. */
const MEMBERS = 12;
const CYCLE_MS = 2000;
const AWAY_MS = 500;
/** A track begins anew every so many samples, and in between the channel is recorded for a while. */
const EVERY = 3;

const root = new URL("..", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "voicebot-memory-"));
const ended: (() => Promise<unknown>)[] = [];
try {
  // A copy, so that a build meanwhile changes nothing. It finds its packages and the clips as from its own place.
  const place = join(directory, "bot");
  cpSync(join(root, "dist"), join(place, "dist"), { recursive: true });
  for (const name of ["node_modules", "audio", "package.json"])
    symlinkSync(join(root, name), join(place, name));
  const [mediaDir, probeDir] = [join(directory, "media"), join(directory, "probe")];
  await mkdir(mediaDir);
  await mkdir(probeDir);
  makeTone(join(mediaDir, "tone.opus"));

  const synapse = await startSynapse();
  ended.push(() => synapse.stop());
  const botUser = await synapse.createUser("bot", { exempt: true });
  const hostUser = await synapse.createUser("host", { exempt: true });
  const host = await Person.start(hostUser);
  ended.push(() => host.stop());
  const bot = await Bot.start({
    user: botUser,
    mediaDir,
    command: [process.execPath, join(place, "dist/cli.js"), "run"],
    env: { ...probeEnv(probeDir), VOICEBOT_LOG_LEVEL: "info" },
  });
  ended.push(() => bot.discard());
  const roomId = await host.createVoiceRoom({ invite: [botUser.userId], open: true });
  await bot.event("room_joined", { room: roomId });
  const crowd = await Crowd.start({
    synapse,
    host: hostUser,
    rooms: [{ roomId, size: MEMBERS }],
    botKeys: [`${botUser.deviceId}${botUser.userId}`],
  });
  ended.push(() => crowd.kill());
  const command = async (text: string, answer: RegExp): Promise<void> => {
    const { position } = host;
    await host.sendText(roomId, text);
    await host.waitForMessage(roomId, answer, 60_000, position).catch((error: unknown) => {
      throw new Error(bot.proc.output.slice(-4000), { cause: error });
    });
  };

  await crowd.join(roomId, 0);
  await command("!play tone", /Now playing/);
  await crowd.joinLater(roomId, 1, MEMBERS - 1, 6000);
  await crowd.allHear(roomId, MEMBERS, 60_000);

  let cycles = 0;
  const startMs = Date.now();
  const sample = async (): Promise<MemorySample> => {
    const [child] = bot.mediaChildren();
    const taken: MemorySample = {
      minute: Math.round((Date.now() - startMs) / 6000) / 10,
      cycles,
      control: await askHeld(probeDir, bot.pid),
      media: child === undefined ? null : await askHeld(probeDir, child),
    };
    console.error(JSON.stringify(taken));
    return taken;
  };
  /** @returns how many there were */
  const cycle = async (): Promise<number> => {
    const nextMs = Date.now() + CYCLE_MS;
    const index = cycles % MEMBERS;
    await crowd.leave(roomId, index);
    await sleep(AWAY_MS);
    await crowd.join(roomId, index);
    cycles++;
    await sleep(Math.max(0, nextMs - Date.now()));
    return cycles;
  };

  // The first tens of seconds fill caches.
  for (let i = 0; i < MEMBERS; i++) await cycle();
  await sleep(5000);
  cycles = 0;
  const before = await sample();
  for (let done = 0; done < CYCLES;) done = await cycle();
  await sleep(5000);
  const after = await sample();
  const hour: MemorySample[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    const untilMs = Date.now() + 50_000;
    if (minute % EVERY === 1) await command("!record start", /Recording\./);
    while (Date.now() < untilMs - 30_000) await cycle();
    if (minute % EVERY === 1) await command("!record stop", /Recording ended/);
    if (minute % EVERY === 2) {
      await host.sendText(roomId, "!stop");
      await sleep(2000);
      await command("!play tone", /Now playing/);
    }
    while (Date.now() < untilMs) await cycle();
    await sleep(10_000);
    hour.push(await sample());
    const connections = (await crowd.members(roomId)).reduce((sum, one) => sum + one.connections, 0);
    writeResult<MemoryFigures>("memory", {
      environment: environment("npm run bench -- memory"),
      figures: { members: MEMBERS, before, after, hour, connections },
    });
  }
} finally {
  for (const end of ended.toReversed()) await end().catch((error: unknown) => console.error(error));
  rmSync(directory, { recursive: true, force: true });
}
