import { parseCommand } from "../../../src/commands/parser.ts";

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

test("the caption of an audio file is a command; its name is not", () => {
  const audio = { msgtype: "m.audio", url: "mxc://a/b", body: "!play", filename: "x.mp3" };
  expect(parse(audio)).toEqual(["play", ""]);
  expect(parse({ ...audio, filename: "!play" })).toBeNull();
  expect(parse({ ...audio, filename: undefined })).toBeNull();
});

test("overlong arguments are cut", () => {
  expect(parse(text(`!play ${"x".repeat(20_000)}`))?.[1]).toHaveLength(1_000);
});
