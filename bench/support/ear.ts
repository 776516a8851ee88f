import { Bot } from "../../test/support/bot.ts";
import { Member } from "../../test/support/member.ts";
import { matrixRequest, Person } from "../../test/support/people.ts";
import { startSynapse } from "../../test/support/synapse.ts";

export interface EarScene {
  bot: Bot;
  /** Whom the bot obeys. */
  host: Person;
  roomId: string;
  /** In the channel, and hears. */
  ear: Member;
  /** The bot's state key. */
  key: string;
}

/**
 * The bot from dist/, a Synapse without limits (what is measured are times of the protocol, the program and the media), and
 * a headless member in the channel. @param ended gets what ends each of them, in the order of their starts
 */
export async function startEar(mediaDir: string, ended: (() => Promise<unknown>)[]): Promise<EarScene> {
  const synapse = await startSynapse();
  ended.push(() => synapse.stop());
  const botUser = await synapse.createUser("bot", { exempt: true });
  const host = await Person.start(await synapse.createUser("host", { exempt: true }));
  ended.push(() => host.stop());
  const bot = await Bot.start({ user: botUser, mediaDir, env: { VOICEBOT_LOG_LEVEL: "info" } });
  ended.push(() => bot.discard());
  const roomId = await host.createVoiceRoom({ invite: [botUser.userId], open: true });
  await bot.event("room_joined", { room: roomId });
  const session = await synapse.createUser("ear", { exempt: true });
  await matrixRequest(session, "POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  const ear = await Member.start({ session, roomId });
  ended.push(() => ear.kill());
  await ear.join();
  return { bot, host, roomId, ear, key: `${botUser.deviceId}${botUser.userId}` };
}
