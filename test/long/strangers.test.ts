// Against people who lie: one hostile account in the room, everybody else must not notice.
import { jest } from "@jest/globals";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Bot } from "../support/bot.ts";
import { callStates, callType, putCallState, sendAll, signals } from "../support/hostile/events.ts";
import { Stranger } from "../support/hostile/stranger.ts";
import { rmsDb, toMono } from "../support/measure.ts";
import { Person } from "../support/people.ts";
import { sleep, Stage, type Scene } from "../support/stage.ts";

jest.setTimeout(240_000);

let stage: Stage;
const people: Person[] = [];
const peers: Stranger[] = [];
beforeAll(async () => (stage = await Stage.start({ maxUploadSize: "20M" })));
afterAll(async () => {
  await Promise.all([...people.map((person) => person.stop()), ...peers.map((peer) => peer.stop())]);
  await stage?.close();
});

/** Somebody more in the room, without a page. */
async function stranger(scene: Scene, name = "mallory"): Promise<Person> {
  const user = await stage.user(name);
  const person = await Person.start(user);
  people.push(person);
  await scene.host.invite(scene.roomId, user.userId);
  await person.join(scene.roomId);
  return person;
}

/** What the bot answered to messages of this person. */
function answersTo(scene: Scene, person: Person): string[] {
  const theirs = new Set(
    scene.host.events.filter(({ sender }) => sender === person.userId).map(({ eventId }) => eventId),
  );
  return scene.host.events.flatMap(({ sender, content }) => {
    const relation = content["m.relates_to"] as { "m.in_reply_to"?: { event_id?: string } } | undefined;
    const to = relation?.["m.in_reply_to"]?.event_id ?? "";
    return sender === scene.botUser.userId && theirs.has(to) ? [String(content["body"])] : [];
  });
}

const faults = (scene: Scene): unknown[] =>
  scene.bot.proc
    .jsonLines()
    .filter(
      ({ event, level }) =>
        level === "error" || ["handler_failed", "fatal", "media_child_exited"].includes(String(event)),
    );

test("spoofed, malformed and oversize events, made-up members and floods of offers: the music goes on", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome");
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await page.firstSound(scene.botKey, 0);
  await scene.host.sendText(scene.roomId, "!play first light");
  const mallory = await stranger(scene);
  const peer = new Stranger();
  peers.push(peer);
  const offer = await peer.offer();
  const child = scene.bot.mediaChildren()[0] ?? 0;
  const [botMb, childMb] = [Bot.rssMb(scene.bot.proc.pid), Bot.rssMb(child)];
  const state = (key: string, content: object) => () => putCallState(mallory, scene.roomId, key, content);
  const call = (content: object) => () => mallory.send(scene.roomId, callType, content);
  const joined = (): object => ({ join_state: "JOINED", timestamp: Date.now() });
  const left = { join_state: "LEFT", timestamp: Date.now() };
  const quiet = await page.concealment(scene.botKey, 10_000);

  // Our key: a web client believes a LEFT under it, whoever wrote it, and closes. The bot says JOINED again, names who did
  // it, and offers again at once: not with the next refresh, which can be 14 s away.
  const before = scene.host.position;
  await state(scene.botKey, left)();
  await scene.botSays(/mallory.* overwrote my entry/, 20_000);
  await sleep(3_000);
  await page.connected(scene.botKey, 5_000);
  const since = scene.host.events.slice(before);
  const lost = since.find(({ stateKey, sender }) => stateKey === scene.botKey && sender === mallory.userId);
  const again = since.find(
    ({ sender, content }) => sender === scene.botUser.userId && content["rtc_type"] === "offer",
  );
  expect((again?.originServerTs ?? Infinity) - (lost?.originServerTs ?? 0)).toBeLessThan(3_000);
  await sleep(3_000);
  const concealing = page.concealment(scene.botKey, 30_000);

  // Others' keys, and ours as a sender.
  await sendAll([
    state("Chrome", left),
    state("Chrome", joined()),
    state(`PHONE${scene.host.userId}`, joined()),
    ...["Chrome", scene.botKey, `PHONE${scene.host.userId}`].map((sender) =>
      call({
        rtc_type: "offer",
        sender,
        receiver: scene.botKey,
        body: JSON.stringify({ type: "offer", sdp: offer }),
      }),
    ),
  ]);
  // Whatever a field can be.
  const mine = `EVIL${mallory.userId}`;
  const odd = callStates().map((content, index) => state(index % 3 === 0 ? mine : `k${index}`, content));
  expect(await sendAll(odd)).toBeGreaterThan(20);
  await sendAll(
    ["x".repeat(255), "é".repeat(127), "<b>", "\u202e", "__proto__", "../..", "😀".repeat(60), " "].map(
      (key) => state(key, joined()),
    ),
  );
  await state(mine, joined())();
  expect(await sendAll(signals(mine, scene.botKey, offer).map(call))).toBeGreaterThan(40);
  // Members that are not there, and offers without end.
  await sendAll(Array.from({ length: 150 }, (_, index) => state(`ghost ${index}`, joined())));
  const answersBefore = scene.host.events.length;
  await sendAll(
    Array.from({ length: 60 }, () =>
      call({
        rtc_type: "offer",
        sender: mine,
        receiver: scene.botKey,
        body: JSON.stringify({ type: "offer", sdp: offer }),
      }),
    ),
  );

  // A busy machine is late now and then, with or without strangers.
  expect(await concealing).toBeLessThan(quiet + 0.05);
  const answers = scene.host.events
    .slice(answersBefore)
    .filter(({ sender, content }) => sender === scene.botUser.userId && content["rtc_type"] === "answer");
  expect(answers.length).toBeLessThanOrEqual(10);
  expect(scene.bot.mediaChildren()).toEqual([child]);
  expect((await page.state()).peers[scene.botKey]?.connection).toBe("connected");
  // Ours was put right, a few times at most, and it stands as JOINED.
  expect(
    (await scene.host.readState(scene.roomId, "de.mtorials.test.callstate", scene.botKey))?.["join_state"],
  ).toBe("JOINED");
  expect(Bot.rssMb(scene.bot.proc.pid)).toBeLessThan(botMb + 80);
  expect(Bot.rssMb(child)).toBeLessThan(childMb + 60);
  expect(faults(scene)).toEqual([]);
  const offered = scene.host.events.filter(
    ({ sender, content }) =>
      sender === scene.botUser.userId &&
      content["rtc_type"] === "offer" &&
      /^ghost|^k\d/.test(String(content["receiver"])),
  );
  expect(new Set(offered.map(({ content }) => content["receiver"])).size).toBeLessThanOrEqual(10);
});

test("five hundred commands of one stranger get a few answers, and the host's next is answered", async () => {
  const scene = await stage.scene();
  const mallory = await stranger(scene);
  const bodies = [
    "!ping",
    "!play ../../etc/passwd",
    "!help",
    "!<script>",
    `!play ${"😀".repeat(600)}`,
    "!volume 1e9",
    `!${"x".repeat(60_000)}`,
  ];
  const startedMs = Date.now();
  const sent = await sendAll(
    Array.from(
      { length: 500 },
      (_, index) => () => mallory.sendText(scene.roomId, bodies[index % bodies.length] ?? ""),
    ),
  );
  expect(sent).toBeGreaterThan(400);
  await scene.command("!ping", /Here/, 90_000);
  const minutes = (Date.now() - startedMs) / 60_000;
  expect(answersTo(scene, mallory).length).toBeLessThanOrEqual(12 + 6 * minutes + 2);
  expect(faults(scene)).toEqual([]);
});

test("files that are none, paths that lead out and names that trick end in a sentence each", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage();
  await page.join();
  const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
  const wav = Buffer.alloc(44 + 9600);
  wav.write("RIFF");
  wav.writeUInt32LE(0xffff_ffff, 4);
  wav.write("WAVEfmt ", 8);
  for (const [at, value] of [
    [16, 16],
    [24, 48_000],
    [28, 96_000],
  ] as const)
    wav.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    wav.writeUInt16LE(value, at);
  wav.write("data", 36);
  wav.writeUInt32LE(0xffff_fff0, 40);
  const files: [string, string, Uint8Array<ArrayBuffer>][] = [
    [
      "a.mp3",
      "audio/mpeg",
      bytes('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    ],
    ["b.mp3", "audio/mpeg", bytes("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")],
    ["c.mp3", "audio/mpeg", bytes("ffconcat version 1.0\nfile /etc/passwd\n")],
    ["d.m3u8", "audio/x-mpegurl", bytes("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n")],
    ["\u202e<b>e\n\u0007.mp3", "audio/mpeg", bytes("nothing at all")],
  ];
  for (const [name, type, content] of files) {
    const { position } = scene.host;
    await scene.host.sendAudio(scene.roomId, content, type, name, "!play");
    const said = await scene.botSays(/could not|cannot|not audio/i, 60_000, position);
    expect(said).not.toMatch(/root:|\/etc\/passwd:|\u202e|\u0007|\n/);
  }
  // Ten gigabytes are refused by what they claim; one whose header lies plays as long as it really is.
  const { position } = scene.host;
  await scene.host.send(scene.roomId, "m.room.message", {
    ...{ msgtype: "m.audio", body: "!play", filename: "big.mp3", url: "mxc://localhost/abc" },
    info: { mimetype: "audio/mpeg", size: 10_000_000_000 },
  });
  await scene.botSays(/10000 MB|too large|larger/i, 30_000, position);
  const after = scene.host.position;
  await scene.host.sendAudio(scene.roomId, new Uint8Array(wav), "audio/wav", "liar.wav", "!play");
  await scene.botSays(/Now playing|could not/, 60_000, after);
  await scene.bot.event("track_ended", {}, 30_000).catch(() => scene.bot.event("track_failed", {}, 1000));
  expect(faults(scene)).toEqual([]);
});

test.each([
  ["kicked", (host: Person, room: string, user: string) => host.kick(room, user)],
  ["banned", (host: Person, room: string, user: string) => host.ban(room, user)],
])("who is %s is closed at once, and their track ends there", async (_, throwOut) => {
  const scene = await stage.scene();
  const host = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  const guest = await scene.guest("guest", "phone", { tone: 997, levelDb: -20 });
  await host.page.join();
  await guest.page.join();
  await scene.command("!join", /I am in/);
  await Promise.all([host.page.connected(scene.botKey), guest.page.connected(scene.botKey)]);
  await scene.command("!record start", /Recording\./);
  await sleep(4_000);
  const thrownOutMs = Date.now();
  await throwOut(scene.host, scene.roomId, guest.user.userId);
  await scene.bot.event("peer_state", { peer: "phone", state: "gone" }, 10_000);
  expect(Date.now() - thrownOutMs).toBeLessThan(5_000);
  // They go on sending media as if nothing had happened.
  await sleep(6_000);
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: \d files/, 60_000);
  const track = toMono(await scene.delivered("guest.ogg"));
  expect(rmsDb(track.subarray(48_000, 3 * 48_000))).toBeGreaterThan(-26);
  expect(rmsDb(track.subarray(-4 * 48_000))).toBeLessThan(-80);
  const other = toMono(await scene.delivered("host.ogg"));
  expect(rmsDb(other.subarray(-3 * 48_000))).toBeGreaterThan(-26);
});

test("the bot is banned: everything is closed, the recording is kept, and it goes on elsewhere", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await page.firstSound(scene.botKey, 0);
  await scene.command("!record start", /Recording\./);
  await sleep(4_000);
  await scene.host.ban(scene.roomId, scene.botUser.userId);
  await scene.bot.event("room_left", { room: scene.roomId }, 15_000);
  await page.until(
    "the bot's end",
    ({ peers: all }) => !["connected", "connecting"].includes(all[scene.botKey]?.connection ?? "closed"),
    20_000,
  );
  await scene.bot.event("recording_finished", {}, 60_000);
  const folder = join(scene.bot.dataDir, "recordings");
  const [id = ""] = await readdir(folder);
  const kept = await readdir(join(folder, id), { recursive: true });
  expect(kept.filter((name) => /^voice-\d+\.mvt$/.test(name))).toHaveLength(1);
  expect(kept.some((name) => name.endsWith(".ogg"))).toBe(true);
  const other = await scene.host.createVoiceRoom({ invite: [scene.botUser.userId] });
  await scene.bot.event("room_joined", { room: other }, 20_000);
  expect(faults(scene)).toEqual([]);
});
