// What people wait for when they skip and seek, and what a room computes that plays, is paused, or is only there: the bot from
// dist/, a Synapse, a headless member in the channel. `npm run bench -- player` leaves bench/results/player.json; what `!play`
// takes is in `setup`. Nothing here passes or fails.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toneDb } from "../test/support/measure.ts";
import { sleep } from "../test/support/stage.ts";
import { cpuMs, workOf } from "./support/cpu.ts";
import type { PlayerFigures, RoomShare } from "./support/figures.ts";
import { startEar } from "./support/ear.ts";
import { environment, writeResult } from "./support/results.ts";
import { median } from "./support/statistics.ts";
import { playerTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const TIMES = quick ? 3 : 15;
const WINDOW_MS = quick ? 8_000 : 20_000;
const ROUNDS = quick ? 1 : 3;
const SETTLE_MS = 4_000;
const RATE = 48_000;
/** What is to be heard after a skip or a seek; before it is another. */
const TONE_HZ = 880;
const HEARD_DB = -30;
const STEP = RATE / 100;

const now = (): number => performance.timeOrigin + performance.now();
const directory = await mkdtemp(join(tmpdir(), "voicebot-player-"));
const ended: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];

/** Tones of two minutes each, one after the other. */
function makeTones(path: string, tones: readonly number[]): void {
  const inputs = tones.flatMap((tone) => ["-f", "lavfi", "-i", `sine=frequency=${tone}:duration=120`]);
  const concat = ["-filter_complex", `concat=n=${tones.length}:v=0:a=1`];
  spawnSync("ffmpeg", ["-v", "error", ...inputs, ...concat, "-b:a", "64k", "-c:a", "libopus", path]);
}

try {
  const mediaDir = join(directory, "media");
  await mkdir(mediaDir);
  makeTones(join(mediaDir, "before.opus"), [440]);
  makeTones(join(mediaDir, "after.opus"), [TONE_HZ]);
  makeTones(join(mediaDir, "long.opus"), [440, TONE_HZ]);
  const { bot, host, roomId, ear, key } = await startEar(mediaDir, ended);
  const say = (text: string): Promise<unknown> => host.sendText(roomId, text);

  /** Plays from its beginning into silence. */
  async function play(name: string): Promise<void> {
    await say("!stop");
    await sleep(1_000);
    const atMs = now();
    await say(`!play ${name}`);
    await ear.firstAudio(key, atMs, 30_000);
  }

  /** From a command being sent to the first 10 ms of the other tone at the member, in ms. */
  async function until(command: string): Promise<number> {
    const atMs = now();
    await say(command);
    for (let waited = 0; waited < 20_000; waited += 100) {
      await sleep(100);
      const { samples, startMs } = await ear.heard(key, atMs);
      for (let from = 0; from + STEP <= samples.length; from += STEP) {
        if (toneDb(samples.subarray(from, from + STEP), RATE, TONE_HZ) < HEARD_DB) continue;
        return Math.round(startMs + (from / RATE) * 1000 - atMs);
      }
    }
    throw new Error(`${command} was not heard`);
  }

  const skips: number[] = [];
  const seeks: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    await play("before");
    await say("!play after");
    await sleep(2_500);
    skips.push(await until("!skip"));
    await play("long");
    await sleep(2_500);
    seeks.push(await until("!seek 2:10"));
  }

  const states = {
    idle: () => say("!stop"),
    paused: async () => {
      await play("before");
      await sleep(1_000);
      await say("!pause");
    },
    playing: () => play("before"),
  };
  const shares: Record<keyof typeof states, RoomShare[]> = { idle: [], paused: [], playing: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const state of ["idle", "paused", "playing"] as const) {
      await states[state]();
      await sleep(SETTLE_MS);
      const media = bot.mediaChildren();
      const work = (): RoomShare => {
        const { own, programs } = workOf(media);
        return { own: cpuMs(bot.pid) + own, programs };
      };
      const [before, beganMs] = [work(), now()];
      await sleep(WINDOW_MS);
      const [after, ms] = [work(), now() - beganMs];
      shares[state].push({
        own: (after.own - before.own) / ms,
        programs: (after.programs - before.programs) / ms,
      });
    }
  }
  const middle = (all: readonly RoomShare[]): RoomShare => ({
    own: median(all.map(({ own }) => own)),
    programs: median(all.map(({ programs }) => programs)),
  });
  const figures: PlayerFigures = {
    ...{ skips, seeks, windowMs: WINDOW_MS, windows: ROUNDS },
    idle: middle(shares.idle),
    paused: middle(shares.paused),
    playing: middle(shares.playing),
  };
  if (!quick) writeResult("player", { environment: environment("npm run bench -- player"), figures });
  console.log(playerTable(figures));
} finally {
  for (const end of ended.toReversed()) await end();
}
