// The bot's database is damaged while it is away: the whole bot, a real homeserver, a member who hears.
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FaultScene } from "../support/fault-scene.ts";

let scene: FaultScene | null = null;
afterEach(async () => {
  await scene?.close();
  scene = null;
});

test("it is set aside, the room is told what that means, and a fresh one serves", async () => {
  scene = await FaultScene.start();
  const { bot, botKey, host } = scene;
  const ear = await scene.member("anna");
  await ear.join();
  await scene.command("!play tone440", /Now playing/);
  await ear.firstAudio(botKey, 0, 30_000);
  await scene.command("!volume 40", /40 %/);
  await bot.stop();
  const file = await open(join(bot.dataDir, "bot.db"), "r+");
  await file.write("this was a database once", 0);
  await file.close();
  const { position } = host;
  await bot.startAgain();
  await scene.botSays(/could not be read any more .*I record nobody/, 30_000, position);
  expect((await readdir(bot.dataDir)).some((name) => name.startsWith("bot.db.damaged-"))).toBe(true);
  await scene.command("!volume", /The volume is 100 %/);
  const startedMs = Date.now();
  await scene.command("!play tone440", /Now playing/);
  await ear.firstAudio(botKey, startedMs, 30_000);
  await bot.stop();
  const again = host.position;
  await bot.startAgain();
  await scene.command("!ping", /Here/);
  // Told once.
  await expect(scene.botSays(/could not be read/, 1_000, again)).rejects.toThrow("no such event");
}, 180_000);
