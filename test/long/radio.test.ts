// A radio station in a room: asked for by its name, heard, through the bot's death, and given up when it is gone.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultScene, sleep, toneHeard } from "../support/fault-scene.ts";
import { encodedTone, Station } from "../support/radio.ts";

let scene: FaultScene | null = null;
let station: Station | null = null;
let directory: string | null = null;

afterEach(async () => {
  await scene?.close();
  await station?.close();
  if (directory !== null) await rm(directory, { recursive: true });
});

test("a station plays with its titles, plays on after a kill, and its outage is told, waited for and told why", async () => {
  directory = await mkdtemp(join(tmpdir(), "radio-"));
  const tone = (hertz: number): Promise<Buffer> =>
    encodedTone(join(directory ?? "", `${hertz}.mp3`), hertz, 20, ["-b:a", "128k"]);
  const [first, second] = [await tone(440), await tone(660)];
  station = await Station.open({ title: "Ann - One", mp3: first });
  scene = await FaultScene.start({
    env: {
      VOICEBOT_FETCH_HTTP: "true",
      VOICEBOT_FETCH_ALLOW: "127.0.0.1",
      VOICEBOT_RADIO_STATIONS: `Night Wave=${station.web.url("/live")}`,
    },
  });
  const { bot, botKey } = scene;
  const anna = await scene.member("anna");
  await anna.join();
  await scene.command("!radio", /Night Wave/);
  await scene.command("!radio nightwave", /I know no station.*\n.*Night Wave/);
  await scene.command("!radio night wave", /Now playing.*Night Wave/);
  await anna.firstAudio(botKey, 0, 30_000);
  await sleep(4_000);
  expect(await toneHeard(anna, botKey, 440)).toBeGreaterThan(-35);
  expect(await scene.command("!np", /Night Wave: Ann - One/)).toMatch(/playing live/);
  await scene.command("!seek 1:00", /cannot be wound/);

  await bot.kill();
  station.plays({ title: "Ben - Two", mp3: second });
  const againMs = Date.now();
  await bot.startAgain();
  await anna.firstAudio(botKey, againMs, 60_000);
  await sleep(5_000);
  expect(await toneHeard(anna, botKey, 660)).toBeGreaterThan(-35);
  expect(await toneHeard(anna, botKey, 440)).toBeLessThan(-50);
  await scene.command("!np", /Night Wave: Ben - Two.*live/);

  const { position } = scene.host;
  await station.close();
  await scene.botSays(/Nothing comes of.*Night Wave/, 30_000, position);
  await scene.botSays(/I could not play.*Night Wave.*cannot reach 127\.0\.0\.1/, 180_000, position);
  await scene.command("!np", /Nothing is playing/);
}, 400_000);
