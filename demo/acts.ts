/** The acts of the demo: what is shown, each measured by somebody who is not the bot. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { correlate } from "../test/support/correlate.ts";
import { decodeFile, probeFile } from "../test/support/decode.ts";
import { channelOf, findGaps, rmsDb, toMono } from "../test/support/measure.ts";
import { lossBetween } from "../test/support/member.ts";
import type { MatrixEvent } from "../test/support/people.ts";
import { seconds, type Report } from "./report.ts";
import { audioDir, botKey, memoryMb, type Stage } from "./stage.ts";

const RATE = 48_000;
/** A right track comes out above 0.9 through Opus, a wrong one below 0.35. */
const SAME = 0.8;

/** Memory before anything happened in the channel. */
export async function idleMemory(stage: Stage, report: Report): Promise<void> {
  await sleep(1_000);
  const { main, media } = memoryMb(stage);
  report.figure("memory, idle (both processes)", main + media, 120, "MB");
}

/** `!play` while the bot is not in the channel: it joins by itself, and the very track is heard. */
export async function playsATrack(stage: Stage, report: Report): Promise<string> {
  const { host, member } = stage;
  report.title("Music: the very track is heard");
  const sentMs = await command(stage, report, "!play first-light");
  const key = await botKey(stage, 20_000);
  const firstMs = await member.firstAudio(key, sentMs, 20_000);
  await reply(stage, report, sentMs);
  report.figure("!play to first audio, joining the channel", firstMs - sentMs, 3000, "ms");

  // The first seconds of a connection belong to its jitter buffer; a member that only hears has none, but be fair.
  await sleep(1_000);
  const before = await member.stats(key);
  await sleep(10_000);
  const after = await member.stats(key);
  const { main, media } = memoryMb(stage);
  const stereo = await member.heard(key, firstMs + 1_000, 2);
  const heard = { ...stereo, samples: toMono(stereo) };
  const levelDb = rmsDb(heard.samples);
  report.check("level", levelDb > -35 && levelDb < -6, `${levelDb.toFixed(1)} dBFS`, "-35 … -6 dBFS");
  const track = await decodeFile(join(audioDir, "first-light.mp3"));
  const other = await decodeFile(join(audioDir, "small-hours.flac"));
  const match = correlate(heard.samples, track.samples, RATE);
  const wrong = correlate(heard.samples, other.samples, RATE).correlation;
  report.check("is it First Light", match.correlation >= SAME, match.correlation.toFixed(3), `≥ ${SAME}`);
  report.check("is it the other tune instead", wrong < 0.4, wrong.toFixed(3), "< 0.4");
  const sideDb = rmsDb(channelOf(stereo, 0).map((left, i) => (left - (stereo.samples[2 * i + 1] ?? 0)) / 2));
  const range = `${(levelDb - 25).toFixed(0)} … ${levelDb.toFixed(0)} dBFS`;
  const isStereo = sideDb > levelDb - 25 && sideDb < levelDb;
  report.check("stereo: left minus right", isStereo, `${sideDb.toFixed(1)} dBFS`, range);
  const gaps = findGaps(heard.samples, RATE, { minMs: 60 }).length;
  report.check("interruptions in it", gaps === 0, String(gaps), "0");
  const loss = before && after ? lossBetween(before, after) * 100 : 100;
  report.figure("packets lost or late, over 10 s", loss, 0.1, "%", 2);
  report.figure("memory, playing (both processes)", main + media, 200, "MB");
  report.say(`main process ${main.toFixed(0)} MB, media process ${media.toFixed(0)} MB`);

  await reply(stage, report, await command(stage, report, "!stop"));
  await sleep(800);
  const silentSince = Date.now();
  await sleep(1_000);
  const rest = rmsDb((await member.heard(key, silentSince)).samples);
  report.check("silence after !stop", rest < -60, `${Math.max(-120, rest).toFixed(0)} dBFS`, "< -60 dBFS");

  const again = host.position;
  const againMs = await command(stage, report, "!play small-hours");
  await host.waitForEvent((event) => event.content["body"] === "!play small-hours", 10_000, again);
  const arrivedMs = Date.now();
  const audioMs = await member.firstAudio(key, againMs, 20_000);
  await reply(stage, report, againMs);
  report.figure("!play to first audio, in the channel", audioMs - arrivedMs, 400, "ms");
  await sleep(3_000);
  const second = correlate((await member.heard(key, audioMs)).samples, other.samples, RATE).correlation;
  report.check("is it Small Hours", second >= SAME, second.toFixed(3), `≥ ${SAME}`);
  await reply(stage, report, await command(stage, report, "!stop"));
  return key;
}

/** `!record`: what was said comes back to the room as files, one for each speaker, and a mix. */
export async function recordsAMember(stage: Stage, report: Report, folder: string): Promise<void> {
  const { host, member, bot, roomId, botUser } = stage;
  report.title("A recording: what is said comes back as tracks");
  const startMs = await command(stage, report, "!record start");
  await bot.event("recording_started", {}, 15_000);
  await reply(stage, report, startMs);
  const clip = join(audioDir, "speech.ogg");
  report.say("Robin speaks …");
  await sleep(500);
  const spoken = await member.speakToEnd(clip);
  await sleep(500);
  const position = host.position;
  const stopMs = await command(stage, report, "!record stop");
  const lengthMs = stopMs - startMs;
  await reply(stage, report, stopMs);
  await bot.event("recording_delivered", {}, 90_000);
  const isFile = (event: MatrixEvent): boolean =>
    event.roomId === roomId && event.sender === botUser.userId && event.content["msgtype"] === "m.audio";
  // The last file is in the room before the log says so, but our own sync may be a moment behind.
  await host.waitForEvent(isFile, 10_000, position);
  await sleep(1_000);
  const files = host.events.filter(isFile);
  report.say(`${files.length} files came into the room:`);

  const speech = await decodeFile(clip);
  const lengths: number[] = [];
  let ofRobin = 0;
  let mixes = 0;
  for (const { content } of files) {
    const name = textOf(content["filename"]) ?? textOf(content["body"]) ?? "?";
    const path = join(folder, `recording-${files.length}-${lengths.length}.ogg`);
    await writeFile(path, await host.downloadMedia(textOf(content["url"]) ?? ""));
    const probe = await probeFile(path);
    const pcm = await decodeFile(path);
    const { correlation, lagMs } = correlate(speech.samples, pcm.samples, RATE);
    lengths.push(probe.durationMs);
    const details = `${probe.codec}, ${seconds(probe.durationMs)}, ${rmsDb(pcm.samples).toFixed(0)} dBFS`;
    report.say(
      `  ${name} (${details}): the sentence is in it by ${correlation.toFixed(3)} at ${seconds(lagMs)}`,
    );
    const isRobin = name.includes("Robin");
    if (isRobin) ofRobin++;
    else mixes++;
    const what = isRobin ? "the sentence on Robin's own track" : "the sentence in the mix";
    report.check(what, correlation >= SAME, correlation.toFixed(3), `≥ ${SAME}`);
  }
  report.check("tracks named after Robin", ofRobin === 1, String(ofRobin), "1");
  report.check("other files: the mix", mixes === 1, String(mixes), "1");
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  const enough = least >= spoken.endsAtMs - spoken.startedAtMs && most <= lengthMs + 3_000;
  const difference = files.length > 0 ? most - least : NaN;
  report.check("length of the files", enough, seconds(most), `the ${seconds(lengthMs)} between the commands`);
  report.check("same length", difference <= 60, `${difference.toFixed(0)} ms apart`, "≤ 60 ms");
}

/** Writes a command into the room; the wall-clock time of its sending, in ms. */
async function command({ host, roomId }: Stage, report: Report, text: string): Promise<number> {
  report.chat("Demo", text);
  const sentMs = Date.now();
  await host.sendText(roomId, text);
  return sentMs;
}

/** Shows what the bot answered since `sinceMs`; an answer that does not come fails the demo. */
async function reply({ host, roomId, botUser }: Stage, report: Report, sinceMs: number): Promise<void> {
  const event = await host.waitForEvent(
    (event) =>
      event.roomId === roomId &&
      event.sender === botUser.userId &&
      event.content["msgtype"] === "m.notice" &&
      // An edit of the now-playing card answers nobody.
      event.content["m.new_content"] === undefined &&
      event.originServerTs >= sinceMs,
    20_000,
  );
  report.chat("Voice Bot", textOf(event.content["body"]) ?? "");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
