import fc from "fast-check";
import {
  formatOfName,
  MAX_ITEMS,
  MAX_LOCATION,
  MAX_PLAYLIST_BYTES,
  type Playlist,
} from "../../../src/player/playlist/item.ts";
import { formatOfText, formatOfType, isHls, parsePlaylist } from "../../../src/player/playlist/playlist.ts";
import { playlistText } from "../../../src/player/playlist/text.ts";
import { atOnce, stepsOf } from "../../support/steps.ts";

const parse = (text: string, baseUrl: string | null = null): Playlist =>
  atOnce(parsePlaylist(text, { format: null, baseUrl }));
const item = (url: string, title: string | null = null, durationMs: number | null = null): object => ({
  url,
  title,
  durationMs,
});

const m3u = `#EXTM3U
#PLAYLIST: Evening
#EXTINF:123,Artist – First
Artist/First.mp3

# a comment
#EXTINF:-1 tvg-id="a" group-title="News, talk",Radio One
https://radio.example.org/one
#EXTINF:12.5,
C:\\Music\\third.mp3
plain.flac
`;

const pls = `[playlist]
File2=https://b.example.org/b.mp3
Title2=Second
Length2=-1
File1=a.mp3
Title1=First
Length1=200
File3=
NumberOfEntries=3
Version=2
`;

const xspf = `<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/">
  <title>Noon &amp; night</title>
  <trackList>
    <track><location>Some%20one/A%20%231.mp3</location><location>second-place.mp3</location>
      <creator>Someone</creator><title><![CDATA[A <1>]]></title><duration>61000</duration></track>
    <track><location>https://b.example.org/b%20c.mp3</location></track>
    <track><title>nowhere</title></track>
    <extension application="x"><track><location>not/a/track.mp3</location></track></extension>
  </trackList>
</playlist>`;

test("m3u: titles, lengths, attributes with commas, comments, paths as they are", () => {
  expect(parse(m3u.replaceAll("\n", "\r\n"))).toEqual({
    title: "Evening",
    items: [
      item("Artist/First.mp3", "Artist – First", 123_000),
      item("https://radio.example.org/one", "Radio One"),
      item("C:\\Music\\third.mp3", null, 12_500),
      item("plain.flac"),
    ],
    left: 0,
  });
});

test("pls: in the order of its numbers, entries without a place left out", () => {
  expect(parse(pls)).toEqual({
    title: null,
    items: [item("a.mp3", "First", 200_000), item("https://b.example.org/b.mp3", "Second")],
    left: 0,
  });
});

test("xspf: paths unescaped, addresses not, its own elements alone", () => {
  expect(parse(xspf)).toEqual({
    title: "Noon & night",
    items: [item("Some one/A #1.mp3", "Someone – A <1>", 61_000), item("https://b.example.org/b%20c.mp3")],
    left: 0,
  });
});

test("with an address of its own, what stands in it is absolute; a path of another machine is none", () => {
  const at = "https://example.org/lists/evening.m3u?x=1";
  const lines = [
    "a b.mp3",
    "../c.mp3",
    "/d.mp3",
    "//other.example.org/e.mp3",
    "file:///etc/passwd",
    "C:\\x.mp3",
  ];
  expect(parse(lines.join("\n"), at).items.map(({ url }) => url)).toEqual([
    "https://example.org/lists/a%20b.mp3",
    "https://example.org/c.mp3",
    "https://example.org/d.mp3",
    "https://other.example.org/e.mp3",
    "file:///etc/passwd",
    "c:\\x.mp3",
  ]);
});

test("a name, a type and the text say what it is; the text is believed", () => {
  expect(["a.m3u", "A.M3U8", "b.pls", "c.xspf", "d.mp3", "m3u", "e.constructor"].map(formatOfName)).toEqual([
    ...["m3u", "m3u", "pls", "xspf"],
    ...[null, null, null],
  ]);
  expect(
    ["audio/x-mpegurl; charset=utf-8", "Audio/X-SCPLS", "application/xspf+xml", "audio/mpeg"].map(
      formatOfType,
    ),
  ).toEqual(["m3u", "pls", "xspf", null]);
  expect([m3u, pls, xspf, "a.mp3\n", "<html><body>"].map(formatOfText)).toEqual([
    "m3u",
    "pls",
    "xspf",
    null,
    null,
  ]);
  expect(atOnce(parsePlaylist(pls, { format: "m3u", baseUrl: null })).items).toHaveLength(2);
});

test("the index of a stream is no list of tracks", () => {
  const hls = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nsegment0.ts\n";
  expect([isHls(hls), isHls(m3u)]).toEqual([true, false]);
  expect(() => parse(hls)).toThrow(expect.objectContaining({ code: "media_unsupported" }));
});

test("what is too much is cut or refused", () => {
  const many = parse(Array.from({ length: 700 }, (_, i) => `${i}.mp3`).join("\n"));
  expect([many.items.length, many.left, many.items.at(-1)?.url]).toEqual([MAX_ITEMS, 200, "499.mp3"]);
  expect(parse(`${"x".repeat(5_000)}.mp3`).items[0]?.url).toHaveLength(MAX_LOCATION + 1);
  expect(parse(`#EXTINF:1e300,${"t".repeat(9_000)}\na.mp3`).items).toEqual([item("a.mp3", "t".repeat(300))]);
  expect(() => parse("x".repeat(MAX_PLAYLIST_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "media_too_large" }),
  );
  const numbers = Array.from({ length: 20_000 }, (_, i) => `File${i * 40_000}=a${i}.mp3`);
  expect(parse(`[playlist]\n${numbers.join("\n")}`)).toMatchObject({ left: 10_000 - MAX_ITEMS });
});

const list = (track: string, before = ""): string =>
  `<?xml version="1.0"?>${before}<playlist version="1"><trackList><track>${track}</track></trackList></playlist>`;

test.each([
  [
    "entities that grow",
    list(
      "<location>&c;</location>",
      `<!DOCTYPE p [<!ENTITY a "${"x".repeat(99)}"><!ENTITY b "${"&a;".repeat(99)}"><!ENTITY c "${"&b;".repeat(99)}">]>`,
    ),
  ],
  [
    "an entity of a file",
    list("<title>&x;</title>", `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>`),
  ],
  [
    "a document type elsewhere",
    list("<location>a.mp3</location>", `<!DOCTYPE p SYSTEM "https://example.org/x.dtd">`),
  ],
  ["an entity that nobody declared", list("<title>&x;</title>")],
  ["elements without end", `<playlist>${"<a>".repeat(100_000)}`],
  ["an attribute without end", `<playlist a="${"x".repeat(900_000)}`],
  ["a document that breaks off", list("<location>a.mp3</location>").slice(0, -20)],
])("xspf: %s is refused", (_, text) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({
      ...{ code: "media_unreadable", say: { key: "playlist.damaged" } },
      message: expect.stringMatching(/^not XSPF: [^\n]+$/),
    }),
  );
});

test.each([
  ["m3u", "a.mp3\n".repeat(160_000)],
  ["pls", `[playlist]\n${"File1=a\n".repeat(120_000)}`],
  ["xspf of tracks", `<playlist><trackList>${"<track/>".repeat(120_000)}`],
  [
    "xspf of elements in one another",
    `<playlist>${("<a>".repeat(30) + "</a>".repeat(30)).repeat(4_700)}</playlist>`,
  ],
  ["xspf of text alone", `<playlist><title>${"x".repeat(900_000)}`],
])("others have their turn while a megabyte is read: %s", (_, text) => {
  expect(stepsOf(parsePlaylist(text, { format: null, baseUrl: null }))).toBeGreaterThan(200);
});

test("xspf: what is cut anywhere while it is read is whole", () => {
  const title = "Größe &amp; 🎵&#65;".repeat(300);
  const cut = list(
    `<location>${"x".repeat(1_500)}.mp3</location><title><![CDATA[${"]]é".repeat(2_000)}]]></title>`,
  );
  expect(parse(cut)).toMatchObject({
    items: [{ url: `${"x".repeat(1_500)}.mp3`, title: "]]é".repeat(100) }],
  });
  for (let before = 4_090; before < 4_100; before++) {
    const found = parse(list(`<!--${"x".repeat(before)}--><location>a</location><title>${title}</title>`));
    expect(found.items).toEqual([item("a", "Größe & 🎵A".repeat(300).slice(0, 300))]);
  }
});

test("bytes: UTF-8, UTF-16, what old programs wrote; no binary file", () => {
  const text = "Größe.mp3";
  expect(playlistText(new TextEncoder().encode(text))).toBe(text);
  expect(playlistText(Buffer.from(`\uFEFF${text}`, "utf8"))).toBe(text);
  expect(playlistText(Buffer.from(`\uFEFF${text}`, "utf16le"))).toBe(text);
  expect(playlistText(Buffer.from(text, "latin1"))).toBe(text);
  expect(playlistText(Buffer.from([0x49, 0x44, 0x33, 0, 0, 0]))).toBeNull();
  expect(playlistText(Buffer.alloc(MAX_PLAYLIST_BYTES + 1, 0x61))).toBeNull();
});

test("any text gives bounded entries, or is refused with a sentence", () => {
  const pieces = fc.constantFrom(
    ..."#EXTM3U\n|#EXTINF:1,|[playlist]\n|File1=|Title9=|<playlist>|<trackList>|<track>|<location>|</location>".split(
      "|",
    ),
    ..."</track>|</playlist>|<!DOCTYPE a [|]>|&#0;|&#x110000;|<![CDATA[|]]>|\r|\n|\u2028|../|\\|%00|\ud800".split(
      "|",
    ),
  );
  const text = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 60 }).map((parts) => parts.join(""));
  const format = fc.constantFrom("m3u", "pls", "xspf", null);
  fc.assert(
    fc.property(text, format, (text, format) => {
      try {
        const { items, title } = atOnce(parsePlaylist(text, { format, baseUrl: null }));
        expect(items.length).toBeLessThanOrEqual(MAX_ITEMS);
        for (const { url, title } of items) {
          expect(url).not.toBe("");
          expect(url.length).toBeLessThanOrEqual(MAX_LOCATION + 1);
          expect(title ?? "").not.toMatch(/[\n\r]/);
        }
        expect((title ?? "").length).toBeLessThanOrEqual(300);
      } catch (error) {
        expect(error).toMatchObject({ name: "BotError", say: { key: expect.stringMatching(/^playlist\./) } });
      }
    }),
  );
});
