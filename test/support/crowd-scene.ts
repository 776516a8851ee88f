// A homeserver with default limits for the bot, the bot as an operator runs it, a host, and a crowd. No browser.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bot } from "./bot.ts";
import { Crowd } from "./crowd.ts";
import { Person } from "./people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "./synapse.ts";

/** Longer than any of these tests. */
const TONE_S = 1200;

export interface CrowdScene {
  readonly synapse: Synapse;
  readonly bot: Bot;
  readonly botUser: SynapseUser;
  readonly botKey: string;
  readonly host: Person;
  readonly rooms: readonly string[];
  readonly crowd: Crowd;
  /** The host writes a command and waits for an answer to it. */
  command(roomId: string, text: string, answer: RegExp, timeoutMs?: number): Promise<void>;
  /** Bodies of what the bot wrote in a room, oldest first. */
  said(roomId: string): string[];
  close(): Promise<void>;
}

/**
 * @param sizes people for each room, one room each; the host may do everything.
 * @param options environment of the bot, and whether the homeserver spares it its limits
 */
export async function crowdScene(
  sizes: readonly number[],
  { env = {}, exempt = false }: { env?: Readonly<Record<string, string>>; exempt?: boolean } = {},
): Promise<CrowdScene> {
  const mediaDir = await mkdtemp(join(tmpdir(), "voicebot-tone-"));
  const ended: (() => Promise<unknown>)[] = [() => rm(mediaDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of ended.splice(0).toReversed()) await end();
  };
  try {
    makeTone(join(mediaDir, "tone.opus"));
    const synapse = await startSynapse();
    ended.push(() => synapse.stop());
    const [botUser, hostUser] = [
      await synapse.createUser("bot", { exempt }),
      await synapse.createUser("host", { exempt: true }),
    ];
    const host = await Person.start(hostUser);
    ended.push(() => host.stop());
    const bot = await Bot.start({ user: botUser, mediaDir, env });
    ended.push(() => bot.discard());
    const rooms: string[] = [];
    for (const _ of sizes) {
      const roomId = await host.createVoiceRoom({ invite: [botUser.userId], open: true });
      await bot.event("room_joined", { room: roomId });
      rooms.push(roomId);
    }
    const botKey = `${botUser.deviceId}${botUser.userId}`;
    const crowd = await Crowd.start({
      synapse,
      host: hostUser,
      rooms: rooms.map((roomId, index) => ({ roomId, size: sizes[index] ?? 0 })),
      botKeys: [botKey],
    });
    ended.push(() => crowd.kill());
    const said = (roomId: string): string[] =>
      host.events
        .filter((event) => event.roomId === roomId && event.sender === botUser.userId)
        .filter((event) => event.type === "m.room.message")
        .map((event) => String(event.content["body"]));
    const command = async (
      roomId: string,
      text: string,
      answer: RegExp,
      timeoutMs = 60_000,
    ): Promise<void> => {
      const { position } = host;
      await host.sendText(roomId, text);
      await host.waitForMessage(roomId, answer, timeoutMs, position);
    };
    return { synapse, bot, botUser, botKey, host, rooms, crowd, command, said, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A tone of twenty minutes, 440 Hz. */
export function makeTone(path: string): void {
  const sine = ["-f", "lavfi", "-i", `sine=frequency=440:duration=${TONE_S}`];
  const { status, stderr } = spawnSync(
    "ffmpeg",
    ["-v", "error", ...sine, "-b:a", "24k", "-c:a", "libopus", path],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
}
