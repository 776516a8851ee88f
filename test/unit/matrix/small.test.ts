import { editDistance, nearest } from "../../../src/base/nearest.ts";
import { HomeserverError, apiPath, backoffMs, retryDelayMs } from "../../../src/matrix/homeserver.ts";
import { decodeEvent } from "../../../src/matrix/events.ts";
import { matchesUser } from "../../../src/matrix/invites.ts";
import { parseMxc } from "../../../src/matrix/media-client.ts";
import { editContent, fileContent, replyContent } from "../../../src/matrix/notices.ts";

test.each<[string, string[], boolean]>([
  ["@ada:voice.test", ["*:voice.test"], true],
  ["@ada:evil.test", ["*:voice.test"], false],
  ["@ada:sub.voice.test", ["*:voice.test"], false],
  ["@ada:voice.test.evil.test", ["*:voice.test"], false],
  ["@ada:voice.test", ["@ada:voice.test"], true],
  ["@adam:voice.test", ["@ada:voice.test"], false],
  ["@ada:voice.test", ["@a*a:*.test"], true],
  ["@a:voice.test", ["@a*a:*.test"], false],
  ["@ada:xvoice.test", ["@ada:*.voice.test"], false],
  ["@ada:voice.test", ["*"], true],
  ["@ada:voice.test", [], false],
  ["@ada:voice.test", ["@bob:voice.test", "*:voice.*"], true],
  ["@ada:voiceXtest", ["*:voice.test"], false],
])("%s invited, %j allowed: %j", (userId, patterns, allowed) => {
  expect(matchesUser(userId, patterns)).toBe(allowed);
});

test("a hostile pattern or user id costs no time", () => {
  expect(matchesUser(`@${"a".repeat(250)}:x`, [`${"*a".repeat(100)}*b`])).toBe(false);
});

test.each([
  ["mxc://voice.test/AbC_-9", { server: "voice.test", id: "AbC_-9" }],
  ["mxc://[::1]:8448/x", { server: "[::1]:8448", id: "x" }],
  ["mxc://voice.test/", null],
  ["mxc://voice.test/../../admin", null],
  ["mxc://voice.test/a/b", null],
  ["mxc://voice.test/a?x=1", null],
  ["mxc://voice.test/a%2fb", null],
  ["mxc://voice.test/a\n", null],
  ["mxc://user@voice.test/a", null],
  ["https://voice.test/a", null],
  [" mxc://voice.test/a", null],
])("%j as an mxc URI", (mxc, parts) => {
  expect(parseMxc(mxc)).toEqual(parts);
});

test("answers are notices that ping nobody", () => {
  expect(replyContent("$q", { text: "Hi Ada", html: "Hi <b>Ada</b>" })).toEqual({
    msgtype: "m.notice",
    body: "Hi Ada",
    format: "org.matrix.custom.html",
    formatted_body: "Hi <b>Ada</b>",
    "m.mentions": {},
    "m.relates_to": { "m.in_reply_to": { event_id: "$q" } },
  });
  expect(replyContent("$q", { text: "ok", html: "ok" })).not.toHaveProperty("format");
});

test("an edit carries the new text, and its relation outside of it", () => {
  expect(editContent("$card", { text: "new", html: "<b>new</b>" })).toMatchObject({
    body: "* new",
    formatted_body: "* <b>new</b>",
    "m.new_content": { body: "new", formatted_body: "<b>new</b>", "m.mentions": {} },
    "m.relates_to": { rel_type: "m.replace", event_id: "$card" },
  });
});

test("a file in the room: sound as m.audio with the fields of extensible events", () => {
  const file = { mxc: "mxc://a/b", fileName: "ada.ogg", mimeType: "audio/ogg", size: 5 };
  const audio = { durationMs: 1234.6, waveform: [0, 511.6, 1024] };
  const extensible = { url: "mxc://a/b", name: "ada.ogg", mimetype: "audio/ogg", size: 5 };
  expect(fileContent({ ...file, audio })).toEqual({
    msgtype: "m.audio",
    body: "ada.ogg",
    filename: "ada.ogg",
    url: "mxc://a/b",
    info: { mimetype: "audio/ogg", size: 5, duration: 1235 },
    "org.matrix.msc1767.text": "ada.ogg",
    "org.matrix.msc1767.file": extensible,
    "org.matrix.msc1767.audio": { duration: 1235, waveform: [0, 512, 1024] },
    "m.mentions": {},
  });
  const unknown = fileContent({ ...file, audio: { durationMs: null, waveform: null } });
  expect(unknown["info"]).not.toHaveProperty("duration");
  expect(unknown["org.matrix.msc1767.audio"]).toEqual({});
  const zip = fileContent({ ...file, audio: null });
  expect(zip).toMatchObject({ msgtype: "m.file", "org.matrix.msc1767.file": extensible });
  expect(zip).not.toHaveProperty("org.matrix.msc1767.audio");
});

test("path parts are encoded", () => {
  expect(apiPath`/rooms/${"!a/b:c"}/state/${"t"}/${"x@y:z?"}`).toBe("/rooms/!a%2Fb%3Ac/state/t/x%40y%3Az%3F");
});

test("delays: doubled, jittered, bounded; a 429 says its own, within reason", () => {
  expect([1, 2, 3, 99].map((attempt) => backoffMs(attempt, 1000, 30_000, () => 0.5))).toEqual([
    1000, 2000, 4000, 30_000,
  ]);
  expect(backoffMs(1, 1000, 30_000, () => 0)).toBe(750);
  const limit = (ms: number | null): HomeserverError => new HomeserverError(429, "M_LIMIT_EXCEEDED", "", ms);
  expect(
    [limit(1234), limit(null), limit(-5), limit(1e12), new Error("x")].map((e) => retryDelayMs(e, 7)),
  ).toEqual([1234, 5000, 50, 60_000, 7]);
});

test("errors say what they are without the answer's whole text", () => {
  const error = new HomeserverError(403, "M_FORBIDDEN", "x".repeat(1000), null);
  expect(error).toMatchObject({
    code: "forbidden",
    retryable: false,
    say: { params: { reason: "M_FORBIDDEN" } },
  });
  expect(error.message.length).toBeLessThan(300);
  expect(new HomeserverError(502, "", "", null)).toMatchObject({ code: "homeserver", retryable: true });
});

describe("decoding an event", () => {
  const event = {
    event_id: "$e",
    type: "m.room.message",
    sender: "@ada:voice.test",
    origin_server_ts: 5,
    content: { body: "x" },
  };

  test("facts and claims", () => {
    expect(decodeEvent({ ...event, unsigned: { age: 12 } }, "!r", "live")).toEqual({
      eventId: "$e",
      roomId: "!r",
      type: "m.room.message",
      sender: "@ada:voice.test",
      stateKey: null,
      originServerTs: 5,
      ageMs: 12,
      content: { body: "x" },
      prevContent: null,
      redacts: null,
      origin: "live",
    });
  });

  test.each([
    ["no id", { ...event, event_id: undefined }],
    ["a sender that is no user id", { ...event, sender: "ada" }],
    ["content that is a text", { ...event, content: "x" }],
    ["a state key that is a number", { ...event, state_key: 5 }],
    ["not an object", "event"],
  ])("%s: dropped", (_, raw) => {
    expect(decodeEvent(raw, "!r", "live")).toBeNull();
  });

  test("a malformed unsigned part costs only itself", () => {
    expect(decodeEvent({ ...event, unsigned: { age: "old", prev_content: 5 } }, "!r", "live")).toMatchObject({
      ageMs: null,
      prevContent: null,
    });
  });

  test("what a redaction removes, before and from room version 11", () => {
    const redaction = { ...event, type: "m.room.redaction" };
    expect(decodeEvent({ ...redaction, redacts: "$x" }, "!r", "live")?.redacts).toBe("$x");
    expect(decodeEvent({ ...redaction, content: { redacts: "$y" } }, "!r", "live")?.redacts).toBe("$y");
    expect(decodeEvent({ ...event, content: { redacts: "$y" } }, "!r", "live")?.redacts).toBeNull();
  });
});

describe("the nearest word", () => {
  test.each([
    ["plya", "play"],
    ["PLAY", "play"],
    ["skp", "skip"],
    ["xyz", null],
    ["", null],
  ])("%j means %j", (typed, meant) => {
    expect(nearest(typed, ["play", "skip", "queue"])).toBe(meant);
  });

  test("distances", () => {
    expect([editDistance("", "abc"), editDistance("ab", "ba"), editDistance("kitten", "sitting")]).toEqual([
      3, 1, 3,
    ]);
  });
});
