// Time to sound after each fault of a bot's life, on real parts: a bot from dist/, Synapse, a gateway between them, headless
// members who count packets. `npm run bench -- life` prints the table that docs/BENCHMARKS.md keeps. Nothing here passes or
// fails.
import { cpus } from "node:os";
import { FaultScene, missedWhile, sleep } from "../test/support/fault-scene.ts";
import { LIMITED } from "../test/support/gateway.ts";
import type { Member } from "../test/support/member.ts";
import { matrixRequest } from "../test/support/people.ts";

const AWAY_MS = 120_000;
const TROUBLE_MS = 60_000;

const rows: { what: string; figure: string }[] = [];
const row = (what: string, figure: string): void => {
  rows.push({ what, figure });
  console.error(`${what}: ${figure}`);
};
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

const scene = await FaultScene.start();
const { bot, botKey, gateway, host } = scene;

/** When the last of some heard the bot, from `sinceMs` on. */
async function sound(members: readonly Member[], sinceMs: number): Promise<string> {
  const heard = await Promise.all(members.map((member) => member.firstAudio(botKey, sinceMs, 120_000)));
  return seconds(Math.max(...heard) - sinceMs);
}

/** `work` is the fault, and resolves at its end; then somebody joins. */
async function newcomer(what: string, ear: Member, late: Member, work: () => Promise<void>): Promise<void> {
  await late.leave();
  await sleep(3000);
  let heard = "";
  const missed = await missedWhile(ear, botKey, async () => {
    await work();
    const endMs = Date.now();
    await late.join();
    heard = await sound([late], endMs);
  });
  row(what, `${percent(missed)}; ${heard}`);
  await sleep(5000);
}

try {
  await scene.synapse.exemptFromLimits(scene.botUser.userId);
  const [ear, late] = [await scene.member("ear"), await scene.member("late")];
  await ear.join();
  await scene.command("!play tone440", /Now playing/);
  await ear.firstAudio(botKey, 0, 30_000);
  await late.join();
  await late.firstAudio(botKey, 0, 30_000);

  const [child] = bot.mediaChildren();
  const killedMs = Date.now();
  if (child !== undefined) process.kill(child, "SIGKILL");
  row("media child killed: to the sound of both members", await sound([ear, late], killedMs + 100));
  await sleep(5000);
  for (const pauseMs of [500, 60_000]) {
    await bot.kill();
    await sleep(pauseMs);
    const startedMs = Date.now();
    await bot.startAgain();
    row(
      `bot killed, started again after ${pauseMs / 1000} s: from the start to the sound of both`,
      await sound([ear, late], startedMs),
    );
    await sleep(15_000);
  }
  for (const [what, awayMs] of [
    ["homeserver restarted", 0],
    [`homeserver away for ${AWAY_MS / 1000} s`, AWAY_MS],
  ] as const) {
    await newcomer(`${what}: music missed; its return to a newcomer's sound`, ear, late, async () => {
      await scene.stopSynapse();
      await sleep(awayMs);
      await scene.startSynapse();
    });
  }
  for (const [what, trouble] of [
    ["every write refused with 429 and no time", LIMITED()],
    ["every connection hangs", "hang"],
  ] as const) {
    await newcomer(`${what} for ${TROUBLE_MS / 1000} s: the same`, ear, late, async () => {
      gateway.trouble = ({ method }) => (trouble === "hang" || method === "PUT" ? trouble : "pass");
      await sleep(TROUBLE_MS);
      gateway.trouble = () => "pass";
    });
  }
  const revokedMs = Date.now();
  await matrixRequest(scene.botUser, "POST", "/_matrix/client/v3/logout", {});
  const { code } = await bot.proc.exited;
  row(`token revoked while it plays: to the end of the bot (exit ${code})`, seconds(Date.now() - revokedMs));
  const login = (await matrixRequest(
    { baseUrl: scene.synapse.baseUrl, accessToken: null },
    "POST",
    "/_matrix/client/v3/login",
    {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: scene.botUser.userId },
      password: scene.botUser.password,
      device_id: scene.botUser.deviceId,
    },
  )) as { access_token: string };
  const againMs = Date.now();
  await bot.startAgain({ VOICEBOT_ACCESS_TOKEN: login.access_token });
  row("… started with a new token: to the sound of both", await sound([ear, late], againMs));
  const inTheEnd = host.events.filter(
    ({ stateKey, sender }) => sender === scene.botUser.userId && stateKey === botKey,
  );
  row(
    "memberships written in all of this, LEFT among them",
    `${inTheEnd.length}, ${inTheEnd.filter(({ content }) => content["join_state"] === "LEFT").length}`,
  );
} finally {
  await scene.close();
}

console.log(
  `\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, \`npm run bench -- life\`\n`,
);
console.log("| figure | measured |\n| --- | --- |");
for (const { what, figure } of rows) console.log(`| ${what} | ${figure} |`);
