import { render } from "../../../src/base/messages/catalogue.ts";
import { reportSentence } from "../../../src/diagnosis/text.ts";
import type { ChannelReport } from "../../../src/diagnosis/report.ts";
import { aHearer, aMember, aReport, someMedia } from "../../fakes/channel-report.ts";

const lines = (report: ChannelReport, language: "en" | "de" = "en"): string[] =>
  render(reportSentence(report, language, "!"), language).text.split("\n");

test("the bot, and a line for each member with all there is to know", () => {
  expect(lines(aReport([aMember("Kim")]))).toEqual([
    "I have been in the voice channel for 15 min; playing; heard by 1 of 1; engine libdatachannel; homeserver heard 3 s ago",
    "✓ Kim: connected for 10 min, direct (host), 23 ms there and back, lost of mine 0 % (in all 0.1 %), of theirs 0 % (in all 0 %), jitter 4 ms, -23 dBFS",
  ]);
});

test("while it plays it says how many hear it, by what they report; else how many are there", () => {
  const deaf = aHearer("Lou", { reportAgeMs: null, loss: null });
  const report = aReport([aMember("Kim"), aMember("Robin"), deaf]);
  expect(lines(report)[0]).toContain("playing; heard by 2 of 3;");
  expect(lines(report, "de")[0]).toContain("gehört von 2 von 3;");
  expect(lines(aReport([aMember("Kim")], { playing: "paused" }))[0]).toContain("paused; others there: 1;");
  expect(lines(aReport([]))[0]).toContain("playing; others there: 0;");
});

test("what is done about loss, by the encoder and for a member", () => {
  const encoder = { bitrate: 96_000, expectedLoss: 12, fec: true };
  const media = { engine: "e", lateFrames: 0, encoder };
  const report = aReport([aHearer("Kim", { loss: 0.015, redundancy: 2 })], { media });
  expect(lines(report)[0]).toContain("; 96 kbit/s, protected against 12 % of loss;");
  expect(lines(report, "de")[0]).toContain("; 96 kbit/s, gegen 12 % Verlust geschützt;");
  expect(lines(report)[1]).toContain(", 2 sent again with each packet,");
  const without = aReport([aHearer("Kim", { redundancy: 0 })], {
    media: { ...media, encoder: { ...encoder, fec: false } },
  });
  expect(lines(without)[0]).toContain("; 96 kbit/s; homeserver");
  expect(lines(without)[1]).not.toContain("sent again");
});

test("the worst come first, with what to do; no more than two reasons each", () => {
  const text = lines(
    aReport([
      aMember("Kim"),
      aHearer("Lou", { loss: 0.12 }, { loss: 0.3, levelDbfs: -70, soundAgeMs: 400_000, jitterMs: 99 }),
      aMember("Robin", { link: "connecting", linkForMs: 21_000, media: null }),
    ]),
  );
  expect(text.map((line) => line.slice(0, 7)).slice(1)).toEqual(["✗ Robin", "⚠ Lou: ", "✓ Kim: "]);
  expect(text[1]).toMatch(/^✗ Robin: connecting for 21 s – Robin has been connecting .*TURN server/);
  expect(text[2]).toMatch(/12 % of what I send to Lou/);
  expect(text[2]).not.toMatch(/heard nothing/);
});

test("twenty lines at most; the rest is counted, and called fine if it is", () => {
  const many = Array.from({ length: 60 }, (_, i) => aMember(`P${i}`));
  const text = lines(aReport(many));
  expect(text).toHaveLength(22);
  expect(text.at(-1)).toBe("and 40 more, all fine");
  const weak = lines(aReport(many.map((one) => ({ ...one, link: "interrupted" as const }))));
  expect(weak.at(-1)).toBe("and 40 more");
  expect(weak.join("\n").length).toBeLessThan(12_000);
});

test("kinds of ways", () => {
  const way = (local: "host" | "srflx" | "prflx" | "relay", remote: typeof local): string =>
    /for 10 min, ([^,]*),/.exec(
      lines(aReport([aMember("K", { media: { ...someMedia(), way: { local, remote } } })]))[1]!,
    )![1]!;
  expect(way("host", "srflx")).toBe("direct (through NAT)");
  expect(way("prflx", "host")).toBe("direct (through NAT)");
  expect(way("relay", "host")).toBe("relayed (my TURN server)");
  expect(way("host", "relay")).toBe("relayed (their TURN server)");
});

test.each([
  [{ packetAgeMs: null }, "has sent nothing"],
  [{ packetAgeMs: 30_000 }, "has sent nothing for 30 s"],
  [{ levelDbfs: -127, soundAgeMs: null }, "muted"],
  [{ dtx: true, levelDbfs: -80, soundAgeMs: 30_000 }, "silent (sends only signs of life)"],
  [{ levelDbfs: -80, soundAgeMs: 30_000 }, "silent (-80 dBFS)"],
  [{ levelDbfs: null, soundAgeMs: null }, "level not known"],
])("what a voice is like: %j", (incoming, expected) => {
  const line = lines(aReport([aHearer("Kim", {}, incoming)]))[1]!;
  expect(line.split(" – ")[0]!.endsWith(`, ${expected}`)).toBe(true);
});

test("strangers' names are one short line that pings nobody, told apart by their devices", () => {
  const evil = "Eve\u202e\n✓ Kim: fine <b>@room</b> " + "x".repeat(200);
  const text = lines(
    aReport([
      aMember("Eve", { name: evil }),
      aMember("Kim", { key: "Phone@kim:test" }),
      aMember("Kim", { key: "Desk\n@kim:test" }),
    ]),
  );
  expect(text).toHaveLength(4);
  expect(text[1]!.length).toBeLessThan(260);
  expect(text.slice(2).map((line) => line.split(":")[0])).toEqual(["✓ Kim (Phone)", "✓ Kim (Desk)"]);
  const { html } = render(reportSentence(aReport([aMember("Eve", { name: evil })]), "en", "!"));
  expect(html).not.toContain("<b>");
  expect(html).not.toMatch(/matrix\.to|@eve:test/);
});

test("no address and no key of anybody is shown", () => {
  const text = lines(
    aReport([aMember("Kim", { media: { ...someMedia(), way: { local: "srflx", remote: "relay" } } })]),
  );
  expect(text.join()).not.toMatch(/\d+\.\d+\.\d+\.\d+|@/);
});

test("out of the channel: what is to be done, in the room's language and with its prefix", () => {
  const report = aReport([aMember("Kim", { link: "apart", media: null })], {
    phase: "out",
    media: null,
    playing: "silent",
  });
  expect(lines(report, "de").slice(0, 2)).toEqual([
    "Ich bin nicht im Sprachkanal; es läuft nichts; außer mir da: 1; Homeserver vor 3 s gehört",
    "✗ Ich bin nicht im Sprachkanal: !join oder !play holt mich.",
  ]);
  expect(lines(report)[2]).toBe("✓ Kim: in the channel");
});
