// Somebody who has nothing but the README: a fresh Debian, a copy of the project, their homeserver. The shell blocks of
// "Install it without docker" and of docs/OPERATING.md run as they stand; only the names of the examples are replaced.
import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { correlate } from "../support/correlate.ts";
import { Debian } from "../support/debian.ts";
import { decodeFile } from "../support/decode.ts";
import { blocksOf, type Block } from "../support/doc-blocks.ts";
import { Member } from "../support/member.ts";
import { Person } from "../support/people.ts";
import type { Proc } from "../support/proc.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TRACK = join(ROOT, "audio/first-light.mp3");
const MINUTE = 60_000;
const RATE = 48_000;
/** Where the new user has the copy of the project. */
const COPY = "/root/matrix-voice-bot";
const PASSWORD = "correct horse battery staple";

/** One of last month, one of today. */
const RECORDINGS = `
cd /var/lib/matrix-voice-bot; mkdir -p recordings/old recordings/young
touch recordings/old/journal.mvt; touch -d '40 days ago' recordings/old`;

const blocks = (file: string): Block[] =>
  blocksOf(file).filter(({ mark }) => /^run=new-user(-|$)/.test(mark));

let synapse: Synapse;
let debian: Debian;
let bot: Proc | null = null;
let host: Person;
let member: Member | null = null;

/** Runs a block, with the user's own names in it. @returns what it printed; of a program that goes on, nothing */
async function carryOut({ mark, text }: Block): Promise<string> {
  const script = text
    .replaceAll("https://matrix.example.org", synapse.baseUrl)
    .replaceAll("example.org", synapse.serverName);
  if (mark !== "run=new-user") {
    await bot?.stop(20_000);
    bot = null;
  }
  if (mark !== "run=new-user-started") return debian.run(script, COPY);
  bot = await debian.start(`exec ${script}`, COPY);
  await bot.waitForJson((line) => line["event"] === "ready", MINUTE);
  return "";
}

beforeAll(async () => {
  synapse = await startSynapse();
  const admin = await synapse.createUser("operator", { admin: true });
  await synapse.createUser("voicebot", { password: PASSWORD });
  const you = await synapse.createUser("you", { exempt: true });
  host = await Person.start(you);
  debian = await Debian.make({ MATRIX_ADMIN_TOKEN: admin.accessToken });
  const copy = join(debian.folder, COPY);
  await mkdir(copy);
  const left = ["./node_modules", "./dist", "./.cache", "./.git"].map((path) => `--exclude=${path}`);
  const pack = 'tar -C "$1" "${@:3}" -cf - . | tar -C "$2" --no-same-owner -xf -';
  await promisify(execFile)("/bin/bash", ["-euo", "pipefail", "-c", pack, "_", ROOT, copy, ...left]);
}, 10 * MINUTE);

afterAll(async () => {
  await member?.stop();
  await host?.stop();
  await bot?.stop(20_000);
  await synapse?.stop();
  await debian?.remove();
}, 2 * MINUTE);

test(
  "by the README: installed, checked, a room, and the track is heard",
  async () => {
    const said: string[] = [];
    await mkdir(join(debian.folder, "srv/music"), { recursive: true });
    await cp(TRACK, join(debian.folder, "srv/music/first-light.mp3"));
    for (const block of blocks("README.md")) said.push(await carryOut(block));
    expect(said.join("\n")).toMatch(/^✓ account +@voicebot:voice\.test, device /m);
    expect(said.join("\n")).not.toMatch(/^✗/m);
    expect(said.join("\n")).toMatch(/^Made “Den” !/m);
    expect(bot?.exit).toBeNull();

    const [, roomId = ""] = /^Made “Den” (!\S+)/m.exec(said.join("\n")) ?? [];
    await host.join(roomId);
    member = await Member.start({ session: host.session, roomId });
    await member.join();
    const sentMs = Date.now();
    await host.sendText(roomId, "!play first");
    await host.waitForMessage(roomId, /Now playing/, MINUTE);
    const { peers } = await member.until(
      "the bot",
      (state) => Object.values(state.peers).includes("connected"),
      MINUTE,
    );
    const [key = ""] = Object.keys(peers);
    const firstMs = await member.firstAudio(key, sentMs, MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const heard = await member.heard(key, firstMs + 1_000);
    const track = await decodeFile(TRACK);
    expect(correlate(heard.samples, track.samples, RATE).correlation).toBeGreaterThan(0.8);
    expect(await bot?.stop(20_000)).toMatchObject({ code: 0 });
    bot = null;
  },
  20 * MINUTE,
);

test(
  "by docs/OPERATING.md: a user of its own, a token, no rate limits, health, deletion, backup",
  async () => {
    const outputs = new Map<string, string>();
    for (const block of blocks("docs/OPERATING.md")) {
      if (block.text.includes("-mtime +30")) await debian.run(RECORDINGS, COPY);
      outputs.set(block.text, await carryOut(block));
    }
    const output = (part: string): string =>
      [...outputs].find(([text]) => text.includes(part))?.[1] ?? `no block has ${part}`;

    expect(output("runuser -u voicebot -- matrix-voice-bot check")).toMatch(/^✓ data .* has mode 700$/m);
    expect(output("m.login.password")).toContain('"access_token"');
    expect(output("override_ratelimit")).toMatch(/"messages_per_second": ?0/);
    expect(output("grep -A 2 rate_limit")).toContain('"verdict": "ok"');
    expect(output("/readyz")).toMatch(/^\{"ready":true\}$/m);
    expect(output("/readyz")).toMatch(/^ready$/m);
    expect(await debian.run("ls /var/lib/matrix-voice-bot/recordings", COPY)).toMatch(/^young$/);
    const listed = await debian.run("tar -tzf voicebot-backup.tar.gz", COPY);
    expect(listed).toContain("matrix-voice-bot/bot.db");
    expect(listed).toContain("matrix-voice-bot/account.json");
    expect(bot).toBeNull();
  },
  10 * MINUTE,
);
