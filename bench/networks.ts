// How long a member behind a router waits for the bot behind another one: directly, by relay, at an announced address.
// `node bench/networks.ts` as root prints the table that docs/BENCHMARKS.md keeps. Nothing here passes or fails.
import { cpus } from "node:os";
import { withHomeScene, type HomeScene } from "../test/support/home-scene.ts";
import { sleep } from "../test/support/stage.ts";
import { startSynapse } from "../test/support/synapse.ts";
import { ADDRESSES, TwoHomes, type Nats } from "../test/support/two-homes.ts";

const JOINS = 10;
const STUN = `stun:${ADDRESSES.net}:3478`;

interface Way {
  name: string;
  nats: Nats;
  env: (secret: string) => Record<string, string>;
}

const ways: Way[] = [
  {
    name: "directly through two home routers, found by STUN",
    nats: { bot: "cone", member: "cone" },
    env: () => ({ VOICEBOT_ICE_SERVERS: STUN }),
  },
  {
    name: "by the bot's relay, both routers symmetric",
    nats: { bot: "symmetric", member: "symmetric" },
    env: (secret) => ({
      VOICEBOT_ICE_SERVERS: `turn:${ADDRESSES.net}:3478`,
      VOICEBOT_ICE_TURN_SECRET: secret,
    }),
  },
];

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const spread = (values: number[]): string =>
  `${Math.round(median(values))} ms (worst ${Math.round(Math.max(...values))})`;

async function measure({ member, botKey, host, roomId }: HomeScene): Promise<string> {
  const toConnected: number[] = [];
  const toSound: number[] = [];
  await member.join();
  await member.speak({ tone: 440 });
  await host.sendText(roomId, "!play first light");
  await member.connected(botKey, 30_000);
  for (let i = 0; i < JOINS; i++) {
    await member.leave();
    await sleep(1500);
    const beganMs = Date.now();
    await member.join();
    await member.connected(botKey, 30_000);
    toConnected.push(Date.now() - beganMs);
    toSound.push((await member.firstAudio(botKey, beganMs)) - beganMs);
    // The track must not end in between.
    if (i % 5 === 4) await host.sendText(roomId, "!play first light");
  }
  return `${spread(toConnected)} | ${spread(toSound)}`;
}

const synapse = await startSynapse({ rateLimits: "off" });
try {
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.versions.node}, n = ${JOINS}`);
  console.log("| way | join to connected | join to the bot's sound |\n| --- | --- | --- |");
  for (const { name, nats, env } of ways) {
    await TwoHomes.within(nats, Number(new URL(synapse.baseUrl).port), async (homes) => {
      const { secret } = await homes.coturn();
      await withHomeScene({ synapse, homes, env: env(secret), memberServers: [STUN] }, async (scene) => {
        console.log(`| ${name} | ${await measure(scene)} |`);
      });
    });
  }
} finally {
  await synapse.stop();
}
