// A decoder that hangs while people listen: the whole bot, a real homeserver, a member who hears.
import { readFileSync } from "node:fs";
import { childrenOf } from "../support/bot.ts";
import { FaultScene, sleep, toneHeard } from "../support/fault-scene.ts";

let scene: FaultScene | null = null;
afterEach(async () => {
  await scene?.close();
  scene = null;
});

/** What measures a file gives no sound. */
const isDecoder = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("-f\0s16le") &&
  /^State:\s+[RSD]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test("hung once it is heard again within fifteen seconds, by itself; hung again, the room is told why and hears the next track", async () => {
  scene = await FaultScene.start({ tones: [440, 660] });
  const { bot, botKey, host } = scene;
  const ear = await scene.member("anna");
  await ear.join();
  await scene.command("!play tone440", /Now playing/);
  await ear.firstAudio(botKey, 0, 30_000);
  await scene.command("!play tone660", /Added/);
  const hang = (): void => {
    const decoders = bot.mediaChildren().flatMap(childrenOf).filter(isDecoder);
    expect(decoders).toHaveLength(1);
    process.kill(decoders[0]!, "SIGSTOP");
  };
  await sleep(5_000);
  const { position } = host;
  hang();
  await bot.event("track_stalled", { act: "again", cause: "source" }, 20_000);
  await sleep(4_000);
  expect(await toneHeard(ear, botKey, 440)).toBeGreaterThan(-35);
  hang();
  await scene.botSays(/I could not play .*tone440.*: nothing came from its file/, 20_000, position);
  await sleep(4_000);
  expect(await toneHeard(ear, botKey, 660)).toBeGreaterThan(-35);
  await scene.command("!np", /tone660.*heard by 1 of 1/);
  expect(scene.told("track_stalled")).toBe(2);
}, 180_000);
