// A bot and a member in the two homes, and somebody outside of them who tells the bot what to do.
import { Bot } from "./bot.ts";
import { Member } from "./member.ts";
import { Person } from "./people.ts";
import type { Synapse } from "./synapse.ts";
import type { TwoHomes } from "./two-homes.ts";

export interface HomeScene {
  readonly homes: TwoHomes;
  readonly bot: Bot;
  /** The bot's state key. */
  readonly botKey: string;
  readonly member: Member;
  readonly host: Person;
  readonly roomId: string;
}

export interface HomeSceneOptions {
  readonly synapse: Synapse;
  readonly homes: TwoHomes;
  /** Of the bot, which has the default `auto` for private addresses here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly memberServers?: readonly string[];
}

let scenes = 0;

/** Runs `work` with a bot in the room and a member that is about to join the channel; ends both. */
export async function withHomeScene(
  options: HomeSceneOptions,
  work: (scene: HomeScene) => Promise<void>,
): Promise<void> {
  const { synapse, homes, env = {}, memberServers = [] } = options;
  const number = ++scenes;
  const [botUser, user] = await Promise.all([
    synapse.createUser(`bot${number}`),
    synapse.createUser(`member${number}`),
  ]);
  const host = await Person.start(user);
  const { homeserverUrl } = homes;
  const bot = await Bot.start({
    user: botUser,
    homeserverUrl,
    netns: homes.networks.host("bot"),
    env: { VOICEBOT_ICE_ALLOW_PRIVATE: "auto", ...env },
  });
  let member: Member | null = null;
  try {
    const roomId = await host.createVoiceRoom({ invite: [botUser.userId] });
    await bot.event("room_joined", { room: roomId });
    member = await Member.start(
      { session: { ...user, baseUrl: homeserverUrl }, roomId },
      { netns: homes.networks.host("member"), iceServers: memberServers },
    );
    const botKey = `${botUser.deviceId}${botUser.userId}`;
    await work({ homes, bot, botKey, member, host, roomId });
  } finally {
    await member?.kill();
    await host.stop();
    await bot.discard();
  }
}
