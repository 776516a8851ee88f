import { recordCommand } from "../../../src/commands/record-command.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import type { Invocation } from "../../../src/commands/command.ts";
import type { RecordingReport } from "../../../src/recorder/live-ports.ts";
import { runningReport } from "../../fakes/running-recording.ts";

let did: unknown[];
let report: RecordingReport | null;
let status: object;

function invocation(args: string): Invocation {
  const note =
    (what: string) =>
    (...more: unknown[]) => (did.push([what, ...more]), 61_000);
  const recorder = {
    ...{ start: note("start"), stop: note("stop"), pause: note("pause"), unpause: note("resume") },
    ...{ note: note("note"), discard: () => Promise.resolve(did.push("discard") > 1) },
    ...{ report: () => Promise.resolve(report), status: () => status },
  };
  const channel = { joined: true, people: 1 };
  const room = { prefix: "!", language: "en", recorder, channel };
  return { room, message: { sender: "@mod:test" }, args } as unknown as Invocation;
}
const say = async (args: string) => (await recordCommand.run(invocation(args)))?.key ?? null;

beforeEach(() => {
  did = [];
  report = null;
  status = { phase: "idle" };
});

const by = { userId: "@mod:test" };
test.each([
  ["", ["start", by, null]],
  ["start", ["start", by, null]],
  ["START Episode  7:\n the \u202eend", ["start", by, "Episode 7: the end"]],
  [`start ${"🎙️".repeat(300)}`, ["start", by, "🎙️".repeat(66)]],
  ["stop", ["stop", "command", "@mod:test"]],
  ["pause", ["pause", "@mod:test"]],
  ["Resume", ["resume", "@mod:test"]],
  ["note  cut this ", ["note", "cut this", "@mod:test"]],
  [`note ${"x".repeat(900)}`, ["note", "x".repeat(500), "@mod:test"]],
])("%j", async (args, expected) => {
  await say(args);
  expect(did).toEqual([expected]);
});

test.each([
  "later",
  "stop now",
  "note",
  "note   ",
  "constructor",
  "__proto__",
  "hasOwnProperty x",
  "starting",
])("%j is explained", async (args) => {
  await expect(Promise.resolve().then(() => say(args))).rejects.toMatchObject({ code: "bad_command" });
  expect(did).toEqual([]);
});

test("what everybody may, and what moderators", () => {
  const power = (args: string): unknown =>
    typeof recordCommand.power === "function" ? recordCommand.power(invocation(args)) : null;
  expect(["status", "STATUS", "note x"].map(power)).toEqual([0, 0, 0]);
  const others = ["", "start x", "stop", "pause", "resume", "discard", "constructor", "x"];
  expect(others.map(power)).toEqual(others.map(() => 50));
});

test("discard is asked back, then done", async () => {
  expect(await say("discard")).toBe("record.discard_ask");
  expect(await say("discard")).toBeNull();
});

test("the status when nothing runs", async () => {
  expect(await say("status")).toBe("record.none");
  status = { phase: "interrupted" };
  expect(await say("status")).toBe("record.interrupted");
  status = { phase: "exporting", percent: 40 };
  expect(await say("status")).toBe("record.exporting");
});

test("the status says of each person how they are heard, and what is left", async () => {
  const heard = { userId: "@x:test", recorded: true, connected: true, clippedRecently: 0, missedRecently: 0 };
  report = {
    ...{ ...runningReport, title: "Pilot", gapForMs: 4_000 },
    people: [
      { ...heard, name: "Ann", soundAgeMs: 100, levelDbfs: -21.4 },
      { ...heard, name: "Bob", soundAgeMs: 130_000, levelDbfs: -80 },
      { ...heard, name: "Cem", soundAgeMs: null, levelDbfs: null },
      { ...heard, name: "Dora", soundAgeMs: 100, levelDbfs: -20, recorded: false },
      { ...heard, name: "Eve", soundAgeMs: null, levelDbfs: null, connected: false },
      { ...heard, name: "Fay", soundAgeMs: 100, levelDbfs: -3, clippedRecently: 0.4 },
      { ...heard, name: "Gus\n**", soundAgeMs: 100, levelDbfs: -20, missedRecently: 0.12 },
      ...Array.from({ length: 15 }, () => ({ ...heard, name: "Zoe", soundAgeMs: 100, levelDbfs: -20 })),
    ],
  };
  const sentence = await recordCommand.run(invocation("status"));
  const lines = sentence ? render(sentence).text.split("\n") : [];
  expect(lines.slice(0, 9)).toEqual([
    "Recording “Pilot” for 1:01, 2 tracks so far, 1.2 MB; 12.3 GB free on the disk.",
    "Nothing has been recorded for 4 s; I am trying to go on.",
    "Ann: heard, -21 dBFS",
    "Bob: silent for 2 min",
    "Cem: not heard yet",
    "Dora: not recorded, did not agree",
    "Eve: no connection, so nothing is heard",
    "Fay: heard, -3 dBFS, too loud (distorted)",
    "Gus **: heard, -20 dBFS, 12 % of it gets lost on the way",
  ]);
  expect(lines.at(-1)).toBe("and 2 more");
});
