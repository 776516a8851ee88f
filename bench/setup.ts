// How long people wait: from their offers to connected, alone and twenty at once, against the bare library; and from `!play`
// to the first packet of its sound, the bot in the channel already (the bot from dist/, a Synapse, a headless member).
// `npm run bench -- setup` leaves bench/results/setup.json. Nothing here passes or fails.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTone } from "../test/support/crowd-scene.ts";
import { sleep } from "../test/support/stage.ts";
import type { SetupFigures } from "./support/figures.ts";
import { Members, type Subject } from "./support/members.ts";
import { startEar } from "./support/ear.ts";
import { environment, writeResult } from "./support/results.ts";
import { ours, raw } from "./support/subjects.ts";
import { setupTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const CROWD = 20;
const ALONE = quick ? 3 : 10;
const CROWDS = quick ? 1 : 5;
const PLAYS = quick ? 3 : 15;

/** The slowest of those who join together, again and again. */
async function joins(make: () => Subject, size: number, times: number): Promise<number[]> {
  const subject = make();
  const waited: number[] = [];
  try {
    for (let i = -1; i < times; i++) {
      const members = new Members();
      // The bare library begins before its answer is there, and now and then that costs it the connection.
      const joined = await members.join(subject, `room ${i}`, size).catch((error: unknown) => {
        console.error(error);
        return null;
      });
      // The first finds the process just started.
      if (i >= 0 && joined !== null) waited.push(Math.max(...joined));
      await members.end();
      await sleep(200);
    }
  } finally {
    await subject.close();
  }
  return waited.map(Math.round);
}

async function plays(): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), "voicebot-setup-"));
  const ended: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const mediaDir = join(directory, "media");
    await mkdir(mediaDir);
    makeTone(join(mediaDir, "tone.opus"));
    const { host, roomId, ear, key } = await startEar(mediaDir, ended);
    await host.sendText(roomId, "!play tone");
    await ear.firstAudio(key, 0, 30_000);
    const waited: number[] = [];
    for (let i = 0; i < PLAYS; i++) {
      await host.sendText(roomId, "!stop");
      await sleep(2000);
      const atMs = performance.timeOrigin + performance.now();
      await host.sendText(roomId, "!play tone");
      waited.push(Math.round((await ear.firstAudio(key, atMs, 20_000)) - atMs));
    }
    return waited;
  } finally {
    for (const end of ended.toReversed()) await end();
  }
}

const bot = (): Subject => ours("libdatachannel");
const bare = (): Subject => raw("libdatachannel");
const figures: SetupFigures = {
  alone: { bot: await joins(bot, 1, ALONE), bare: await joins(bare, 1, ALONE) },
  crowd: { size: CROWD, bot: await joins(bot, CROWD, CROWDS), bare: await joins(bare, CROWD, CROWDS) },
  plays: await plays(),
};
if (!quick) writeResult("setup", { environment: environment("npm run bench -- setup"), figures });
console.log(setupTable(figures));
