/**
 * `npm run demo`: a real homeserver, the bot, somebody in the voice channel; music, a recording, and what was measured.
 * Then everything stays up for you to go on by hand, until Ctrl-C. `npm run demo -- --once` ends there; its exit code
 * is 0 only if all of it was true.
 */
import { join } from "node:path";
import { rmsDb } from "../test/support/measure.ts";
import { idleMemory, playsATrack, recordsAMember } from "./acts.ts";
import { Report } from "./report.ts";
import { build, Curtain, freshFolder, type Stage } from "./stage.ts";

const once = process.argv.includes("--once");
const report = new Report();
const curtain = new Curtain();
let enough: (() => void) | null = null;

// The bot is configured by the demo alone.
for (const name of Object.keys(process.env)) if (name.startsWith("VOICEBOT_")) delete process.env[name];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (curtain.isFalling) return;
    if (enough) enough();
    else void curtain.fall().finally(() => process.exit(signal === "SIGINT" ? 130 : 143));
  });
}

async function main(): Promise<number> {
  const folder = freshFolder();
  let stage: Stage | null = null;
  let key = "";
  let act = "setting the stage";
  try {
    stage = await build(folder, report, curtain);
    act = "idle";
    await idleMemory(stage, report);
    act = "playing";
    key = await playsATrack(stage, report);
    act = "recording";
    await recordsAMember(stage, report, folder);
  } catch (error) {
    if (curtain.isFalling) return 130;
    report.failure(act, error);
  }
  report.table();
  if (!report.allTrue) {
    console.log(`\n  The bot's log: ${join(folder, "bot.log")}`);
    console.log(`  The homeserver's log: ${join(folder, "homeserver", "homeserver.log")}`);
  }
  if (!once && stage && report.allTrue) await stay(stage, key);
  return report.allTrue ? 0 : 1;
}

/** Shows what happens in the room and what the member hears, until Ctrl-C. */
async function stay(stage: Stage, key: string): Promise<void> {
  const { homeserver, hostUser, host, roomId, alias, botUser, member } = stage;
  // The room's `!` would be a command to an interactive shell.
  const room = encodeURIComponent(roomId).replaceAll("!", "%21");
  const curl = `curl -X PUT -H 'Authorization: Bearer ${hostUser.accessToken}' \\
      -d '{"msgtype": "m.text", "body": "!play small-hours"}' \\
      "${homeserver.baseUrl}/_matrix/client/v3/rooms/${room}/send/m.room.message/$(date +%s)"`;
  report.title("Now you: everything stays up until Ctrl-C");
  for (const [name, value] of [
    ["homeserver", homeserver.baseUrl],
    ["user", hostUser.userId],
    ["password", hostUser.password],
    ["room", `${alias} (${roomId})`],
  ] as const)
    report.say(`${name.padEnd(11)} ${value}`);
  report.say("");
  report.say(
    "Log in with any Matrix client that takes a homeserver's address (Element: “Edit” next to matrix.org),",
  );
  report.say(
    "open the room and write: !play first-light, !pause, !resume, !volume 50, !queue, !stop, !help,",
  );
  report.say(
    "!record start, !record stop; or send an audio file with the caption !play. Or without a client:",
  );
  report.say("");
  report.say(curl);
  report.say("");
  report.say("What is written in the room, and what Robin hears in the channel:");

  const leaving = new AbortController();
  enough = () => leaving.abort();
  let next = host.position;
  let sounding = false;
  while (!leaving.signal.aborted) {
    // Quiet for a second: time to listen.
    const event = await host.waitForEvent(() => true, 1_000, next).catch(() => null);
    if (event) {
      next++;
      const body = event.content["body"];
      const who = event.sender === botUser.userId ? "Voice Bot" : event.sender;
      const isEdit = event.content["m.new_content"] !== undefined;
      if (event.type === "m.room.message" && typeof body === "string" && !isEdit) report.chat(who, body);
      continue;
    }
    const heard = await member.heard(key, Date.now() - 1_000).catch(() => null);
    const levelDb = heard ? rmsDb(heard.samples) : -Infinity;
    if (levelDb > -60 === sounding) continue;
    sounding = !sounding;
    report.say(sounding ? `♪ Robin hears music, ${levelDb.toFixed(0)} dBFS` : "♪ Robin hears silence");
  }
}

let code = 1;
try {
  code = await main();
} finally {
  if (!curtain.isFalling) console.log("\n  Stopping …");
  await curtain.fall();
}
process.exit(code);
