import { render, type Language } from "../../../src/base/messages/catalogue.ts";
import { diagnose } from "../../../src/diagnosis/diagnose.ts";
import { heardBy } from "../../../src/diagnosis/heard.ts";
import type { BotReport, ChannelReport, MemberReport } from "../../../src/diagnosis/report.ts";
import { aHearer, aMember, aReport, someMedia } from "../../fakes/channel-report.ts";

const say = (report: ChannelReport, language: Language = "en"): string[] =>
  diagnose(report).map(({ severity, say }) => `${severity}: ${render(say, language).text}`);
const ofMember = (member: MemberReport, bot: Partial<BotReport> = {}): string[] =>
  diagnose(aReport([member], { playing: "silent", ...bot }))
    .filter((finding) => finding.member === member.key)
    .map(({ severity, say }) => `${severity}: ${render(say).text}`);

test("where all is well there is nothing to say", () => {
  expect(diagnose(aReport([aMember("Kim"), aMember("Robin")]))).toEqual([]);
});

test.each<[string, Partial<BotReport>, RegExp]>([
  ["not in the channel", { phase: "out", media: null }, /^fault: I am not in the voice channel/],
  ["long on the way in", { phase: "joining", phaseForMs: 40_000 }, /^fault: I have been trying.* for 40 s/],
  ["the media plane is down", { plane: "down", media: null }, /^fault: My audio part is down/],
  ["the media plane does not answer", { media: null }, /^fault: My audio part does not answer/],
  [
    "the machine is too slow",
    { media: { engine: "x", lateFrames: 4500 } },
    /^weak: The machine .* \(10 % of my sound is late\)/,
  ],
  ["no sync", { syncAgeMs: 130_000 }, /^fault: The homeserver has not answered me for 2 min/],
  [
    "the rate limit holds messages back",
    { outbox: { waiting: 7, oldestMs: 45_000, limited: true } },
    /^weak: .*holds back 7 .*up to 45 s.*POST \/_synapse\/admin\/v1\/users\/@bot:test\/override_ratelimit/,
  ],
  [
    "messages do not get through",
    { outbox: { waiting: 2, oldestMs: 20_000, limited: false } },
    /^fault: 2 of my messages have not got through/,
  ],
  [
    "no power to be a member",
    { phase: "out", missing: [{ kind: "bot_power", event: "e", needed: 50, actual: 0, suggested: 0 }] },
    /^fault: .*needs power level 50, and I have 0/,
  ],
  ["a recording runs", { recordingForMs: 61_000 }, /^note: A recording has been running for 1 min/],
  ["paused", { playing: "paused" }, /^note: What plays is paused/],
  ["volume 0", { volumePercent: 0 }, /^note: The volume is 0 %/],
])("of the bot: %s", (_, bot, expected) => {
  const said = say(aReport([aMember("Kim")], bot));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(expected);
});

test("waiting messages are no fault as long as they are young, and no limit is one as long as nothing waits", () => {
  expect(
    say(aReport([], { playing: "silent", outbox: { waiting: 3, oldestMs: 900, limited: false } })),
  ).toEqual([]);
  expect(say(aReport([], { playing: "silent", outbox: { waiting: 0, oldestMs: 0, limited: true } }))).toEqual(
    [],
  );
});

test("playing to nobody is said, and playing when nobody of those there hears it is a fault", () => {
  expect(say(aReport([]))).toEqual([expect.stringMatching(/^note: I am playing, and nobody is in/)]);
  const deaf = aMember("Kim", { link: "connecting", linkForMs: 30_000, media: null });
  expect(say(aReport([deaf]))[0]).toMatch(/^fault: I am playing, and nobody hears it/);
  expect(say(aReport([deaf, aMember("Robin")])).join()).not.toMatch(/nobody hears/);
});

test.each<[string, Partial<MemberReport>, Partial<BotReport>, RegExp]>([
  [
    "no way without TURN",
    { link: "connecting", linkForMs: 20_000, media: null },
    {},
    /^fault: Robin has been connecting for 20 s: .*no UDP.*VOICEBOT_ICE_SERVERS/,
  ],
  [
    "no way with TURN",
    { link: "connecting", linkForMs: 20_000, media: null },
    { relays: true },
    /^fault: .*not even through a TURN server/,
  ],
  [
    "failed for good",
    { link: "given_up", failures: 2, linkForMs: 300_000, media: null },
    {},
    /^fault: Robin has been connecting for 5 min: /,
  ],
  [
    "between attempts",
    { link: "expected", failures: 1, linkForMs: 45_000, media: null },
    {},
    /^fault: Robin has been connecting for 45 s: /,
  ],
  [
    "private addresses only",
    {
      link: "connecting",
      linkForMs: 20_000,
      media: { ...someMedia(), way: null, candidates: { used: 0, refused: 3 } },
    },
    {},
    /^fault: .*only addresses in private networks.*VOICEBOT_ICE_LOCAL_SUBNETS/,
  ],
  [
    "never offered",
    { link: "offered", described: false, offersUnanswered: 3, linkForMs: 40_000, media: null },
    {},
    /^fault: Robin is in the channel and has not offered .* for 40 s: probably a client without WebRTC/,
  ],
  [
    "never offered, given up",
    { link: "given_up", described: false, failures: 1, linkForMs: 400_000, media: null },
    {},
    /without WebRTC/,
  ],
  [
    "does not answer any more",
    { link: "offered", offersUnanswered: 2, linkForMs: 25_000, media: null },
    {},
    /^fault: Robin has not answered my offers for 25 s/,
  ],
  ["interrupted", { link: "interrupted" }, {}, /^fault: Nothing arrives from Robin any more/],
  [
    "our answer is held back",
    { link: "answering", linkForMs: 12_000, media: null },
    { outbox: { waiting: 4, oldestMs: 12_000, limited: true } },
    /^fault: My message to Robin has been waiting for 12 s, because the homeserver limits/,
  ],
  [
    "our offer is held back",
    { link: "offering", described: false, linkForMs: 30_000, media: null },
    { outbox: { waiting: 4, oldestMs: 12_000, limited: true } },
    /^fault: My message to Robin has been waiting/,
  ],
  [
    "our answer does not get through",
    { link: "answering", linkForMs: 12_000, media: null },
    {},
    /^fault: My answer to Robin has not got through/,
  ],
])("of a connection: %s", (_, member, bot, expected) => {
  const said = ofMember(aMember("Robin", member), bot);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(expected);
});

test.each<Partial<MemberReport>>([
  { link: "connecting", linkForMs: 3000, media: null },
  { link: "expected", linkForMs: 4000, described: false, media: null },
  { link: "answering", linkForMs: 2000, media: null },
  { link: "offered", linkForMs: 12_000, described: false, offersUnanswered: 1, media: null },
  { link: "given_up", linkForMs: 2000, failures: 1, media: null },
  { link: "apart", media: null },
])("what may still become something is no fault yet: %j", (member) => {
  expect(ofMember(aMember("Robin", member))).toEqual([]);
});

test.each<[string, MemberReport, RegExp | null]>([
  ["some loss of ours", aHearer("Kim", { loss: 0.12 }), /^weak: 12 % of what I send to Kim is lost/],
  ["most of ours lost", aHearer("Kim", { loss: 0.7 }), /^fault: 70 % of what I send to Kim is lost/],
  ["loss of too few to tell", aHearer("Kim", { loss: 0.2, recentPackets: 20 }), null],
  ["a little loss", aHearer("Kim", { loss: 0.03 }), null],
  [
    "no reports",
    aHearer("Kim", { loss: null, reportAgeMs: null }),
    /^fault: Nothing that I send seems to reach Kim/,
  ],
  [
    "reports have ended",
    aHearer("Kim", { loss: null, reportAgeMs: 40_000 }),
    /^fault: Nothing that I send .*no report for 40 s/,
  ],
  [
    "nothing was sent to report on",
    aHearer("Kim", { loss: null, reportAgeMs: 90_000, recentPackets: 0 }),
    null,
  ],
  ["sending has only begun", aHearer("Kim", { loss: null, reportAgeMs: 90_000, recentPackets: 300 }), null],
  ["loss of theirs", aHearer("Kim", {}, { loss: 0.12 }), /^weak: 12 % of what Kim says is lost/],
  [
    "jitter",
    aHearer("Kim", {}, { jitterMs: 90 }),
    /^weak: Packets between Kim and me come unevenly \(by 90 ms\)/,
  ],
  [
    "a microphone that never sent",
    aHearer("Kim", {}, { packetAgeMs: null, soundAgeMs: null, levelDbfs: null }),
    /^note: Kim has sent no sound at all/,
  ],
  [
    "a microphone that is off",
    aHearer("Kim", {}, { packetAgeMs: 70_000 }),
    /^note: Kim has sent nothing for 1 min/,
  ],
  [
    "a muted microphone",
    aHearer("Kim", {}, { levelDbfs: -127, soundAgeMs: 50_000 }),
    /^note: Kim sends pure silence/,
  ],
  [
    "three quiet minutes",
    aHearer("Kim", {}, { levelDbfs: -85, soundAgeMs: 190_000 }),
    /^note: I have heard nothing from Kim for 3 min: their microphone may be muted/,
  ],
  [
    "never a sound",
    aHearer("Kim", {}, { levelDbfs: -85, soundAgeMs: null }),
    /^note: I have heard nothing from Kim for 10 min/,
  ],
  ["a pause in speaking", aHearer("Kim", {}, { levelDbfs: -85, soundAgeMs: 60_000, dtx: true }), null],
  ["very quiet", aHearer("Kim", {}, { levelDbfs: -56 }), /^weak: Kim is very quiet \(-56 dBFS\)/],
  ["too loud", aHearer("Kim", {}, { levelDbfs: -4 }), /^weak: Kim is too loud \(-4 dBFS\)/],
])("of the sound: %s", (_, member, expected) => {
  const said = ofMember(member, { playing: "playing" });
  expect(said).toEqual(expected === null ? [] : [expect.stringMatching(expected)]);
});

test("a slow way is said once, not with its jitter", () => {
  const far = aMember("Kim", { media: { ...someMedia({ jitterMs: 100 }), roundTripMs: 812 } });
  expect(ofMember(far)).toEqual([expect.stringMatching(/^weak: The way to Kim and back takes 812 ms/)]);
});

test("faults come first, of the bot before those of members, in both languages", () => {
  const report = aReport(
    [aHearer("Kim", { loss: 0.1 }), aMember("Robin", { link: "connecting", linkForMs: 20_000, media: null })],
    { recordingForMs: 5000, syncAgeMs: 100_000 },
  );
  expect(diagnose(report).map(({ severity, member }) => [severity, member])).toEqual([
    ["fault", null],
    ["fault", "Chrome@robin:test"],
    ["weak", "Chrome@kim:test"],
    ["note", null],
  ]);
  expect(say(report, "de")[1]).toMatch(/Robin verbindet sich seit 20 s: .*VOICEBOT_ICE_SERVERS/);
});

describe("heardBy", () => {
  test("counts who is connected and reports to receive", () => {
    const members = [
      aMember("A"),
      aHearer("B", { loss: 0.9 }),
      aHearer("C", { loss: null, reportAgeMs: null }),
      aMember("D", { link: "interrupted" }),
      aMember("E", { link: "connecting", media: null }),
      aMember("F", { linkForMs: 4000, media: someMedia({ loss: null, reportAgeMs: null }) }),
      aHearer("G", { loss: null, reportAgeMs: null, recentPackets: 10 }),
    ];
    expect(heardBy(aReport(members))).toEqual({ heard: 3, of: 7 });
    expect(heardBy(aReport(members, { phase: "out" }))).toEqual({ heard: 0, of: 7 });
    expect(heardBy(aReport([]))).toEqual({ heard: 0, of: 0 });
  });
});
