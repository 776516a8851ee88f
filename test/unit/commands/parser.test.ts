import { parseCommand, threadOf } from "../../../src/commands/parser.ts";

const addressing = {
  prefix: "!",
  ownUserId: "@bot:example.org",
  ownNames: ["🔴 Jukebox (recording)", "Jukebox"],
};
const text = (body: string, more: object = {}) => ({ msgtype: "m.text", body, ...more });
const parse = (content: unknown): [string, string] | null => {
  const parsed = parseCommand(content, addressing);
  return parsed && [parsed.name, parsed.args];
};

test.each([
  ["!play x", ["play", "x"]],
  ["  !PLAY   Some  Name.mp3  ", ["play", "Some  Name.mp3"]],
  ["!p\nx", ["p", "x"]],
  ["!np", ["np", ""]],
  ["@bot:example.org play x", ["play", "x"]],
  ["@bot:example.org: play x", ["play", "x"]],
  ["@bot play x", ["play", "x"]],
  ["@Jukebox play x", ["play", "x"]],
  ["jukebox: play x", ["play", "x"]],
  ["Jukebox, play x", ["play", "x"]],
  ["🔴 Jukebox (recording): play x", ["play", "x"]],
  ["@🔴 Jukebox (recording) play x", ["play", "x"]],
  ["bot: play x", ["play", "x"]],
  ["@Jukebox !play x", ["play", "x"]],
  ["@[Jukebox] play x", ["play", "x"]],
  ["[@Jukebox](https://matrix.to/#/@bot:example.org) play x", ["play", "x"]],
  ["[Jukebox](https://matrix.to/#/%40bot%3Aexample.org): play x", ["play", "x"]],
  ["[Jukebox](https://matrix.to/#/@other:example.org): play x", null],
  ["[Jukebox](https://matrix.to/#/%E0%A4%A): play x", null],
  ["Jukebox plays nicely today", null],
  ["@jukeboxes play x", null],
  ["play x", null],
  ["!", null],
  ["!!!", null],
  ["! play", null],
  ["!?", null],
  ["5! is 120", null],
  ["", null],
])("%j is %j", (body, expected) => {
  expect(parse(text(body))).toEqual(expected);
});

describe("a name without @ or colon", () => {
  const pill = '<a href="https://matrix.to/#/@bot:example.org">Jukebox</a> play x';
  test.each([
    ["with a mention", { "m.mentions": { user_ids: ["@bot:example.org"] } }, ["play", "x"]],
    ["with a pill, of an older client", { formatted_body: pill }, ["play", "x"]],
    ["with a pill of somebody else", { formatted_body: pill.replace("@bot", "@ann") }, null],
    ["with a mention of somebody else", { "m.mentions": { user_ids: ["@ann:example.org"] } }, null],
    ["with mentions that are none", { "m.mentions": { user_ids: 5 } }, null],
    ["with nothing", {}, null],
  ])("%s", (_, more, expected) => {
    expect(parse(text("Jukebox play x", more))).toEqual(expected);
    expect(parse(text("I like Jukebox play x", more))).toBeNull();
  });
});

test.each([
  ["a notice", { msgtype: "m.notice", body: "!play x" }],
  ["an emote", { msgtype: "m.emote", body: "!play x" }],
  ["an edit", text("* !play x", { "m.relates_to": { rel_type: "m.replace", event_id: "$1" } })],
  ["an edit that hides it", text("!play x", { "m.relates_to": { rel_type: "m.replace", event_id: "$1" } })],
  ["no body", { msgtype: "m.text" }],
  ["a number", 5],
  ["a body of numbers", { msgtype: "m.text", body: [1] }],
])("%s is no command", (_, content) => {
  expect(parse(content)).toBeNull();
});

test("a reply tells what it replies to, with or without the old quotation", () => {
  const relation = { "m.relates_to": { "m.in_reply_to": { event_id: "$song" } } };
  const expected = { name: "play", args: "", repliesTo: "$song" };
  expect(parseCommand(text("!play", relation), addressing)).toEqual(expected);
  expect(parseCommand(text("> <@a:b> !skip\n> more\n\n!play", relation), addressing)).toEqual(expected);
  expect(parse(text("> !skip\n\n!play"))).toBeNull();
});

test("in a thread nobody need have chosen what a message replies to", () => {
  const thread = (more: object) =>
    text("!play", { "m.relates_to": { rel_type: "m.thread", event_id: "$root", ...more } });
  const to = { "m.in_reply_to": { event_id: "$last" } };
  const [name, args] = ["play", ""];
  expect(parseCommand(thread({ is_falling_back: true, ...to }), addressing)).toEqual({
    ...{ name, args, repliesTo: "$last", isLoose: true },
  });
  expect(parseCommand(thread({ is_falling_back: false, ...to }), addressing)).toEqual({
    ...{ name, args, repliesTo: "$last" },
  });
  expect(parseCommand(thread({}), addressing)).toEqual({ name, args, repliesTo: null });
  expect(threadOf(thread(to))).toBe("$root");
  expect(threadOf(text("!play", { "m.relates_to": to }))).toBeNull();
  expect(threadOf(text("!play", { "m.relates_to": { rel_type: "m.thread", event_id: 5 } }))).toBeNull();
  expect(threadOf(5)).toBeNull();
});

test("the caption of an audio file is a command; its name is not", () => {
  const audio = { msgtype: "m.audio", url: "mxc://a/b", body: "!play", filename: "x.mp3" };
  expect(parse(audio)).toEqual(["play", ""]);
  expect(parse({ ...audio, filename: "!play" })).toBeNull();
  expect(parse({ ...audio, filename: undefined })).toBeNull();
});

test("overlong arguments are cut", () => {
  expect(parse(text(`!play ${"x".repeat(20_000)}`))?.[1]).toHaveLength(1_000);
});
