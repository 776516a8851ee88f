// Where the bot cannot or may not, it says why and what to do; an operator gets an exit code and the wrong keys.
import { jest } from "@jest/globals";
import { startProc } from "../support/proc.ts";
import { sleep, Stage } from "../support/stage.ts";

jest.setTimeout(60_000);

let stage: Stage;
beforeAll(async () => (stage = await Stage.start()));
afterEach(() => stage.clear());
afterAll(async () => stage?.close());

const cli = new URL("../../dist/cli.js", import.meta.url).pathname;

test("in an encrypted room it says once that it cannot work there, and sends nothing else", async () => {
  const scene = await stage.scene({ room: { encrypted: true } });
  await scene.botSays(/This room is encrypted/);
  await scene.host.sendState(scene.roomId, "de.mtorials.test.callstate", "Chrome", {
    join_state: "JOINED",
    timestamp: Date.now(),
  });
  await scene.host.sendText(scene.roomId, "!play first light");
  await scene.host.sendText(scene.roomId, "!join");
  await sleep(3_000);
  const sent = scene.host.events.filter(
    ({ roomId, sender, type }) =>
      roomId === scene.roomId && sender === scene.botUser.userId && type !== "m.room.member",
  );
  expect(sent).toHaveLength(1);
});

test("without the needed power it says at once exactly what a moderator must change", async () => {
  const scene = await stage.scene({ room: { callStatePower: 50 } });
  const hello = await scene.botSays(/something is missing/);
  expect(hello).toMatch(/de\.mtorials\.test\.callstate needs power level 50, and I have 0/);
  await scene.command("!join", /cannot join the voice channel here.*level 50/);
  expect(scene.memberships()).toEqual([]);
});

test("with nobody in the channel it asks people to join first", async () => {
  const scene = await stage.scene();
  await scene.command("!play first light", /Nobody is in the voice channel\. Join it, and say !play again/);
  await scene.command("!record start", /Nobody is in the voice channel/);
  expect(scene.memberships()).toEqual([]);
});

test("who may not is told who may; a wrong command gets the nearest right one", async () => {
  const scene = await stage.scene();
  const { person } = await scene.guest("guest", "phone");
  const { position } = scene.host;
  await person.sendText(scene.roomId, "!record start");
  await scene.botSays(/Only people with power level 50 or more/, 10_000, position);
  await scene.command("!plya x", /Did you mean !play\?/);
});

test("an invitation from another server, or one that is not allowed, is not taken", async () => {
  const scene = await stage.scene({ uninvited: true, env: { VOICEBOT_INVITES_ALLOW: "@nobody:*" } });
  await scene.host.invite(scene.roomId, scene.botUser.userId);
  await scene.bot.event("invite_ignored", { room: scene.roomId });
});

test("a wrong configuration ends with 78 and names every wrong key", async () => {
  const proc = await startProc({
    command: process.execPath,
    args: [cli, "run"],
    env: {
      NODE_OPTIONS: undefined,
      VOICEBOT_HOMESERVER_URL: "not a url",
      VOICEBOT_ACCESS_TOKEN: "",
      VOICEBOT_LOG_LEVEL: "loud",
      VOICEBOT_COMAND_PREFIX: "?",
    },
  });
  expect(await proc.exited).toEqual({ code: 78, signal: null });
  for (const key of [
    /VOICEBOT_HOMESERVER_URL: must be/,
    /VOICEBOT_ACCESS_TOKEN: is not set/,
    /VOICEBOT_LOG_LEVEL: must be debug, info, warn or error/,
    /VOICEBOT_COMAND_PREFIX: is not a setting.*VOICEBOT_COMMAND_PREFIX/,
  ]) {
    expect(proc.output).toMatch(key);
  }
});

test("a folder that cannot be written and an ffmpeg that is not there end with 78, both named", async () => {
  const proc = await startProc({
    command: process.execPath,
    args: [cli, "run"],
    env: {
      NODE_OPTIONS: undefined,
      VOICEBOT_HOMESERVER_URL: stage.synapse.baseUrl,
      VOICEBOT_ACCESS_TOKEN: "x",
      VOICEBOT_DATA_DIR: "/dev/null/data",
      VOICEBOT_FFMPEG_PATH: "/no/such/ffmpeg",
    },
  });
  expect(await proc.exited).toEqual({ code: 78, signal: null });
  expect(proc.output).toMatch(/VOICEBOT_DATA_DIR: cannot be used/);
  expect(proc.output).toMatch(/VOICEBOT_FFMPEG_PATH: no usable ffmpeg.*apt-get install ffmpeg/);
});

test("a token that is not valid ends with 77 and says so; no secret is in the output", async () => {
  const proc = await startProc({
    command: process.execPath,
    args: [cli, "run"],
    env: {
      NODE_OPTIONS: undefined,
      VOICEBOT_HOMESERVER_URL: stage.synapse.baseUrl,
      VOICEBOT_ACCESS_TOKEN: "syt_wrong_secret",
      VOICEBOT_DATA_DIR: `${stage.synapse.dir}/refused`,
    },
  });
  expect(await proc.exited).toEqual({ code: 77, signal: null });
  expect(proc.output).toMatch(/token/);
  expect(proc.output).not.toMatch(/syt_wrong_secret/);
});

test("no line of the log has a token or a message body", async () => {
  const scene = await stage.scene();
  await scene.command("!ping", /Here/);
  await scene.host.sendText(scene.roomId, "a very private sentence");
  await scene.host.sendText(scene.roomId, "!play a very private song");
  await sleep(1_500);
  expect(scene.bot.proc.output).not.toContain(scene.botUser.accessToken);
  expect(scene.bot.proc.output).not.toMatch(/private/);
});
