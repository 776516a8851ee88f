// The bot and a member in networks of their own, with routers between them that hide, filter and forward as real ones do.
import { randomBytes } from "node:crypto";
import type { Coturn } from "../support/coturn.ts";
import { withHomeScene, type HomeScene, type HomeSceneOptions } from "../support/home-scene.ts";
import type { Member } from "../support/member.ts";
import { sleep } from "../support/stage.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";
import { ADDRESSES, TwoHomes, type Nats } from "../support/two-homes.ts";

const STUN = `stun:${ADDRESSES.net}:3478`;
const TURN = `turn:${ADDRESSES.net}:3478`;
const secret = randomBytes(12).toString("hex");

let synapse: Synapse;

beforeAll(async () => {
  synapse = await startSynapse({
    rateLimits: "off",
    // There only where a test starts it, and with this secret.
    config: { turn_uris: [`${TURN}?transport=udp`], turn_shared_secret: secret, turn_user_lifetime: "1h" },
  });
});
afterAll(() => synapse?.stop());

const inHomes = (nats: Nats, work: (homes: TwoHomes) => Promise<void>): Promise<void> =>
  TwoHomes.within(nats, Number(new URL(synapse.baseUrl).port), work);
const withScene = (
  options: Omit<HomeSceneOptions, "synapse">,
  work: (scene: HomeScene) => Promise<void>,
): Promise<void> => withHomeScene({ ...options, synapse }, work);

/** The member joins, and asks the bot to come and play. */
async function meet({ member, host, roomId }: HomeScene): Promise<void> {
  await member.join();
  await member.speak({ tone: 440 });
  await host.sendText(roomId, "!play first light");
}

/** They meet, and both hear each other. */
async function expectSound(scene: HomeScene): Promise<void> {
  const { member, botKey } = scene;
  const beganMs = Date.now();
  await meet(scene);
  await member.connected(botKey, 30_000);
  await member.firstAudio(botKey, beganMs);
  await expectReports(member, botKey);
}

/** The bot reports what it receives of the member; without sound there is nothing to report. */
async function expectReports(member: Member, botKey: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const stats = await member.stats(botKey);
    if (stats !== null && stats.remoteFractionLost !== null && stats.packetsReceived > 50) {
      expect(stats.remoteFractionLost).toBeLessThan(0.05);
      return;
    }
    await sleep(100);
  }
  throw new Error(`the bot reports nothing: ${JSON.stringify(await member.stats(botKey))}`);
}

function turnFor(coturn: Coturn): string {
  const { username, password } = coturn.credentials();
  return `turn:${encodeURIComponent(username)}:${encodeURIComponent(password)}@${ADDRESSES.net}:3478`;
}

test("behind two home routers a STUN server is enough for a direct way", () =>
  inHomes({ bot: "cone", member: "cone" }, async (homes) => {
    // Not the homeserver's secret: nobody gets a relay here.
    const coturn = await homes.coturn();
    await withScene({ homes, env: { VOICEBOT_ICE_SERVERS: STUN }, memberServers: [STUN] }, async (scene) => {
      await expectSound(scene);
      expect(coturn.allocations()).toEqual([]);
    });
  }));

test("where no direct way is possible the homeserver's TURN server relays", () =>
  inHomes({ bot: "symmetric", member: "symmetric" }, async (homes) => {
    const coturn = await homes.coturn({ secret });
    await withScene({ homes, memberServers: [STUN] }, async (scene) => {
      await scene.bot.event("turn_renewed", {}, 1000);
      await expectSound(scene);
      expect(coturn.allocations().length).toBeGreaterThan(0);
      // Without the relay there is nothing left.
      await coturn.stop();
      const gone = { what: "member.disconnected", peer: scene.member.key };
      await scene.bot.event("channel_member", gone, 60_000);
    });
  }));

// The homeserver names the same server with credentials that are wrong: those of the configuration count.
test("a bot and a member that may only talk to the TURN server hear each other", () =>
  inHomes({ bot: "cone", member: "cone" }, async (homes) => {
    const coturn = await homes.coturn();
    for (const [router, home] of [
      ["routerA", "bot"],
      ["routerB", "member"],
    ] as const) {
      const rule = ["-i", home, "-p", "udp", "!", "-d", ADDRESSES.net, "-j", "DROP"];
      homes.networks.iptables(router, "-I", "FORWARD", ...rule);
    }
    await withScene(
      {
        homes,
        env: { VOICEBOT_ICE_SERVERS: TURN, VOICEBOT_ICE_TURN_SECRET: coturn.secret },
        memberServers: [turnFor(coturn)],
      },
      async (scene) => {
        await expectSound(scene);
        expect(coturn.allocations().some((user) => user.endsWith(":voicebot"))).toBe(true);
        expect(coturn.allocations().some((user) => user.endsWith(":test"))).toBe(true);
        expect(scene.bot.proc.output).not.toContain(coturn.secret);
      },
    );
  }));

// Allocations live 10 minutes, permissions 5 (RFC 8656 section 3.2); both have to be refreshed with the old credentials.
test("a relayed connection outlives its allocation and the credentials that it began with", () =>
  inHomes({ bot: "symmetric", member: "symmetric" }, async (homes) => {
    const coturn = await homes.coturn();
    const { username, password } = coturn.credentials(30);
    const server = `turn:${encodeURIComponent(username)}:${encodeURIComponent(password)}@${ADDRESSES.net}:3478`;
    await withScene(
      { homes, env: { VOICEBOT_ICE_SERVERS: server }, memberServers: [STUN] },
      async (scene) => {
        const { member, botKey, bot } = scene;
        await expectSound(scene);
        const ended = bot.event("channel_member", { what: "member.disconnected" }, 11.5 * 60_000);
        const first = await Promise.race([ended.then(() => "lost"), sleep(11 * 60_000).then(() => "kept")]);
        ended.catch(() => {}); // It never comes.
        expect(first).toBe("kept");
        const before = await member.stats(botKey);
        const { startedAtMs } = await member.speak({ tone: 660 });
        await scene.host.sendText(scene.roomId, "!play first light");
        await member.firstAudio(botKey, startedAtMs);
        await sleep(2000);
        const after = await member.stats(botKey);
        expect(after!.packetsReceived - before!.packetsReceived).toBeGreaterThan(50);
        expect(after!.remoteFractionLost).toBeLessThan(0.05);
        expect(new Set(coturn.allocations()).size).toBe(1);
      },
    );
  }));

describe("behind a router that forwards ports", () => {
  const env = { VOICEBOT_ICE_PORTS: "50000-50005" };

  /** What comes for those ports goes to the bot, which cannot open a way by itself. */
  function forward({ networks }: TwoHomes): void {
    const ports = ["-i", "net", "-p", "udp", "--dport", "50000:50005"];
    networks.iptables(
      "routerA",
      "-t",
      "nat",
      "-A",
      "PREROUTING",
      ...ports,
      "-j",
      "DNAT",
      "--to",
      ADDRESSES.bot,
    );
    networks.iptables("routerA", "-I", "FORWARD", ...ports, "-d", ADDRESSES.bot, "-j", "ACCEPT");
    const opening = ["-i", "bot", "-p", "udp", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"];
    networks.iptables("routerA", "-I", "FORWARD", ...opening);
  }

  test("members reach the announced address", () =>
    inHomes({ bot: "cone", member: "cone" }, async (homes) => {
      forward(homes);
      await withScene({ homes, env: { ...env, VOICEBOT_ICE_ANNOUNCE: ADDRESSES.routerA } }, async (scene) => {
        await expectSound(scene);
      });
    }));

  test("and do not without it, so that it is what makes the difference", () =>
    inHomes({ bot: "cone", member: "cone" }, async (homes) => {
      forward(homes);
      await withScene({ homes, env }, async (scene) => {
        const { member, botKey } = scene;
        await meet(scene);
        await sleep(8000);
        expect((await member.state()).peers[botKey]).not.toBe("connected");
      });
    }));
});

describe("a member in another private network, which the bot has to reach first", () => {
  const nats = { bot: "cone", member: "none" } as const;

  test("is left alone by default", () =>
    inHomes(nats, (homes) =>
      withScene({ homes }, async (scene) => {
        const { member, botKey, bot } = scene;
        await meet(scene);
        await bot.event("candidate_refused", { why: "private" });
        await sleep(6000);
        expect((await member.state()).peers[botKey]).not.toBe("connected");
      }),
    ));

  test("is reached when its subnet counts as the bot's own", () =>
    inHomes(nats, (homes) =>
      withScene({ homes, env: { VOICEBOT_ICE_LOCAL_SUBNETS: "10.2.0.0/24" } }, async (scene) => {
        await expectSound(scene);
      }),
    ));
});
