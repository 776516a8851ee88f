/** Everything the demo plays on: a homeserver, people, a voice room, the bot and a headless member. */
import { appendFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Bot, type BotOptions } from "../test/support/bot.ts";
import { Member } from "../test/support/member.ts";
import { callStateType, matrixRequest, Person } from "../test/support/people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../test/support/synapse.ts";
import { seconds, type Report } from "./report.ts";

const root = new URL("../", import.meta.url).pathname;
const runs = join(root, ".cache/demo");
const serverName = "demo.localhost";

export const audioDir = join(root, "audio");

export type Stage = {
  readonly homeserver: Synapse;
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly hostUser: SynapseUser;
  /** Owns the room and writes the commands. */
  readonly host: Person;
  readonly member: Member;
  readonly roomId: string;
  readonly alias: string;
};

/** Takes things down again, the newest first. */
export class Curtain {
  readonly #closers: (() => Promise<unknown>)[] = [];
  #falling: Promise<void> | null = null;

  onFall(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  get isFalling(): boolean {
    return this.#falling !== null;
  }

  /** Ends everything that was started, by its process id; can be called again. */
  async fall(): Promise<void> {
    this.#falling ??= (async () => {
      for (const close of this.#closers.toReversed()) await close().catch(() => {});
    })();
    return this.#falling;
  }
}

/** A fresh folder for this run; those of runs that have ended are removed, so that nothing stale is resumed. */
export function freshFolder(): string {
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    const pid = Number(/^run-(\d+)$/.exec(name)?.[1]);
    if (!(pid > 0 && isRunning(pid))) rmSync(join(runs, name), { recursive: true, force: true });
  }
  const folder = join(runs, `run-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch {
    return false;
  }
}

/**
 * Sets the stage up to the point where the bot is in the room and the member in the channel.
 * `options`: how the bot is started, where that is not as a user would from here.
 */
export async function build(
  folder: string,
  report: Report,
  curtain: Curtain,
  { env = {}, ...options }: Pick<BotOptions, "command" | "env"> = {},
): Promise<Stage> {
  report.title("A homeserver, two people, a voice room");
  let beganMs = performance.now();
  const homeserver = await startSynapse({ dir: join(folder, "homeserver"), serverName });
  curtain.onFall(() => homeserver.stop());
  report.say(`Synapse answers at ${homeserver.baseUrl} after ${seconds(performance.now() - beganMs)}`);

  // The bot lives with the homeserver's default rate limits; the people would meet them only for being so quick.
  const botUser = await homeserver.createUser("voicebot", { displayName: "Voice Bot" });
  const hostUser = await homeserver.createUser("demo", { displayName: "Demo", exempt: true });
  const robinUser = await homeserver.createUser("robin", { displayName: "Robin", exempt: true });
  const host = await Person.start(hostUser);
  curtain.onFall(() => host.stop());
  const roomId = await host.createVoiceRoom({ name: "Voice demo", invite: [robinUser.userId] });
  const alias = `#voice:${serverName}`;
  await matrixRequest(hostUser, "PUT", `/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`, {
    room_id: roomId,
  });
  report.say(`${hostUser.userId} made the room ${alias}; ${robinUser.userId} is invited`);

  report.title("The bot, started as a user would start it: VOICEBOT_… matrix-voice-bot run");
  const logPath = join(folder, "bot.log");
  report.say(`its log goes to ${logPath}`);
  beganMs = performance.now();
  const bot = await Bot.start({
    user: botUser,
    dataDir: join(folder, "bot"),
    mediaDir: audioDir,
    ...options,
    env: { VOICEBOT_DEVICE_NAME: "demo", VOICEBOT_LOG_LEVEL: "info", ...env },
    onLine: (line) => appendFileSync(logPath, `${line.text}\n`),
  });
  curtain.onFall(() => bot.stop());
  const totalMs = performance.now() - beganMs;
  const ready = await bot.event("ready");
  const homeserverMs = typeof ready["homeserverMs"] === "number" ? ready["homeserverMs"] : 0;
  report.say(`ready ${seconds(totalMs)} after its start, ${seconds(homeserverMs)} of it the homeserver's`);
  report.figure("start-up to ready, without the homeserver", totalMs - homeserverMs, 2000, "ms");

  await host.invite(roomId, botUser.userId);
  await host.waitForEvent(
    (event) =>
      event.type === "m.room.member" &&
      event.stateKey === botUser.userId &&
      event.content["membership"] === "join",
    15_000,
  );
  report.say(`${hostUser.userId} invited it, and it came`);

  report.title("Somebody in the voice channel: a headless member that joins like anybody");
  const robin = new Person(robinUser);
  await robin.join(roomId);
  const member = await Member.start({ session: robinUser, roomId });
  curtain.onFall(() => member.stop());
  await member.join();
  report.say(`${member.key} is in the voice channel`);
  return { homeserver, bot, botUser, hostUser, host, member, roomId, alias };
}

/** The bot's key in the voice channel, as soon as it joins. */
export async function botKey({ host, botUser, roomId }: Stage, timeoutMs: number): Promise<string> {
  const event = await host.waitForEvent(
    (event) =>
      event.roomId === roomId &&
      event.type === callStateType &&
      event.sender === botUser.userId &&
      event.content["join_state"] === "JOINED",
    timeoutMs,
  );
  return event.stateKey ?? "";
}

/** Resident memory of the bot's two processes in MB; ffmpeg, which comes and goes, is not in it. */
export function memoryMb({ bot }: Stage): { main: number; media: number } {
  const media = bot.mediaChildren().reduce((sum, pid) => sum + Bot.rssMb(pid), 0);
  return { main: Bot.rssMb(bot.pid), media };
}
