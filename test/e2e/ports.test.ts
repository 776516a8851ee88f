// More members than UDP ports: some are not heard, the operator is told, and nothing else happens.
import { createSocket } from "node:dgram";
import { Bot } from "../support/bot.ts";
import { Member } from "../support/member.ts";
import { Person } from "../support/people.ts";
import { sleep } from "../support/stage.ts";
import { startSynapse } from "../support/synapse.ts";

/** The first of two neighbouring UDP ports that nobody has in this moment. */
async function freePair(): Promise<number> {
  for (;;) {
    const [first, second] = [createSocket("udp4"), createSocket("udp4")];
    try {
      await new Promise<void>((resolve) => first.bind(0, resolve));
      const { port } = first.address();
      await new Promise<void>((resolve, reject) => second.once("error", reject).bind(port + 1, resolve));
      return port;
    } catch {
      // The neighbour is taken.
    } finally {
      first.close();
      second.close();
    }
  }
}

test("of four members two are heard with two ports, and who joins when one of them has left", async () => {
  const port = await freePair();
  const synapse = await startSynapse({ rateLimits: "off" });
  const [botUser, hostUser] = await Promise.all([synapse.createUser("bot"), synapse.createUser("host")]);
  const bot = await Bot.start({ user: botUser, env: { VOICEBOT_ICE_PORTS: `${port}-${port + 1}` } });
  const host = await Person.start(hostUser);
  const members: Member[] = [];
  try {
    const roomId = await host.createVoiceRoom({ invite: [botUser.userId] });
    await bot.event("room_joined", { room: roomId });
    for (const name of ["a", "b", "c", "d"])
      members.push(await Member.start({ session: hostUser, roomId, key: `${name}${hostUser.userId}` }));
    await members[0]!.join();
    await host.sendText(roomId, "!play first light");
    const botKey = `${botUser.deviceId}${botUser.userId}`;
    await members[0]!.connected(botKey);
    const children = bot.mediaChildren();
    for (const member of members.slice(1)) await member.join();

    const connected = async (): Promise<Member[]> => {
      const states = await Promise.all(members.map((member) => member.state()));
      return members.filter((_, index) => states[index]!.peers[botKey] === "connected");
    };
    const until = async (condition: (now: Member[]) => boolean, ms: number): Promise<Member[]> => {
      const deadline = performance.now() + ms;
      for (;;) {
        const now = await connected();
        if (condition(now) || performance.now() > deadline) return now;
        await sleep(200);
      }
    };
    const happy = await until((now) => now.length === 2, 20_000);
    expect(happy).toHaveLength(2);
    await bot.event("ice_ports_used_up", { range: `${port}-${port + 1}` });
    // Whoever has a port keeps it.
    await sleep(5000);
    expect(await connected()).toEqual(happy);
    for (const member of happy) await member.firstAudio(botKey, Date.now() - 1000);

    const [refused, other] = members.filter((member) => !happy.includes(member));
    // The bot would offer to this one again, too, and there is one port for both.
    await other!.leave();
    await happy[0]!.leave();
    await refused!.leave();
    await refused!.join();
    await refused!.connected(botKey, 60_000);
    expect((await connected()).includes(happy[1]!)).toBe(true);
    expect(bot.mediaChildren()).toEqual(children);
  } finally {
    await Promise.all(members.map((member) => member.kill()));
    await host.stop();
    await bot.discard();
    await synapse.stop();
  }
});
