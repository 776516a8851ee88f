import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsentAgent, type ConsentAgentDeps } from "../../../src/bot/consent-agent.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import type { RoomEvent } from "../../../src/matrix/session.ts";
import { Journal, readJournal, type ConsentMode } from "../../../src/recorder/journal.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const BOT = "@bot:test";
const ann = "@ann:test";

let directory: string;
let clock: FakeClock;
let journal: Journal;
let limited: boolean;
let mode: ConsentMode;
let changed: (change: { name: string }) => void;
/** Contents of what was sent, and what was told besides. */
let sent: { type: string; content: Record<string, unknown> }[];
let told: Sentence[];
/** Events that the homeserver has. */
let events: Map<string, { sender: string; content: Record<string, unknown> }>;
let erase: () => Promise<{ recordings: number; files: number; sent: number }>;
let agent: ConsentAgent;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-consent-"));
  clock = new FakeClock();
  [limited, mode, sent, told, events] = [false, "opt-out", [], [], new Map()];
  erase = () => Promise.resolve({ recordings: 0, files: 0, sent: 0 });
  journal = await Journal.create(directory, clock, () => undefined);
  journal.add({
    ...{ kind: "start", recording: "r1", roomId: "!room:test", byUserId: ann, byName: "Ann", bootId: "b" },
  });
  const deps = {
    room: { id: "!room:test", ownUserId: BOT, encrypted: false, displayName: (id: string) => id.slice(1, 4) },
    session: {
      outbox: {
        get limited() {
          return limited;
        },
        send: (_: string, outgoing: { type: string; content: Record<string, unknown> }) => {
          sent.push({ type: outgoing.type, content: outgoing.content });
          events.set(`$${sent.length}`, { sender: BOT, content: outgoing.content });
          return Promise.resolve(`$${sent.length}`);
        },
      },
      readEvent: (_: string, eventId: string) => Promise.resolve(events.get(eventId) ?? null),
    },
    talk: { tell: (sentence: Sentence) => void told.push(sentence), language: "en" },
    settings: {
      get: () => mode,
      onChange: (listener: typeof changed) => ((changed = listener), () => undefined),
    },
    documents: new FakeDocuments(),
    plane: { state: "up", request: () => Promise.resolve({}) },
    archive: { erase: () => erase() },
    people: { list: () => [], onChange: () => () => undefined },
    prefix: "!",
    clock,
    log: silentLog,
  };
  agent = new ConsentAgent(deps as unknown as ConsentAgentDeps);
});
afterEach(async () => {
  agent.close();
  await journal.close();
  await rm(directory, { recursive: true, force: true });
});

const begin = (): void => agent.consent.began({ id: "r1", directory, journal, entries: [] });
const event = (fields: Partial<RoomEvent>): RoomEvent => ({
  ...{ eventId: "$e", roomId: "!room:test", type: "m.reaction", sender: ann, stateKey: null, ageMs: 0 },
  ...{ originServerTs: 0, content: {}, prevContent: null, redacts: null, origin: "live" as const },
  ...fields,
});
const reaction = (target: string, key: string, fields: Partial<RoomEvent> = {}): RoomEvent =>
  event({
    content: { "m.relates_to": { rel_type: "m.annotation", event_id: target, key } },
    ...fields,
  });
const started: Sentence = { key: "record.started", params: { by: "Ann", prefix: "!" } };

test("the announcement carries the recording and a button; a reaction on it counts, and is confirmed together with others", async () => {
  begin();
  await expect(agent.say(started, "r1 notice started")).resolves.toBe(true);
  await settle();
  expect(sent.map(({ type }) => type)).toEqual(["m.room.message", "m.reaction"]);
  expect(sent[0]?.content).toMatchObject({ msgtype: "m.notice", "matrix_voice_bot.recording": "r1" });
  expect(sent[1]?.content).toEqual({
    "m.relates_to": { rel_type: "m.annotation", event_id: "$1", key: "🔇" },
  });
  // Our own button is nobody's word.
  await agent.handle(reaction("$1", "🔇", { eventId: "$own", sender: BOT }));
  await agent.handle(reaction("$1", "🔇", { eventId: "$a" }));
  await agent.handle(reaction("$1", "🔇", { eventId: "$b", sender: "@bob:test" }));
  expect([agent.consent.agreed(BOT), agent.consent.agreed(ann)]).toEqual([true, false]);
  await clock.advance(3_000);
  expect(told).toEqual([{ key: "consent.out", params: { names: "ann, bob" } }]);
  await agent.handle(event({ type: "m.room.redaction", redacts: "$a", eventId: "$r" }));
  await clock.advance(3_000);
  expect(told.at(-1)).toEqual({ key: "consent.in", params: { names: "ann" } });
  await journal.flush();
  const words = (await readJournal(directory)).entries.filter(({ kind }) => kind === "consent");
  expect(words).toMatchObject([
    { userId: ann, agreed: false, reaction: "$a" },
    { userId: "@bob:test", agreed: false },
    { userId: ann, agreed: true, withdrawn: true },
  ]);
});

test("no button while the homeserver holds us back", async () => {
  limited = true;
  begin();
  await agent.say(started, "r1 notice started");
  await settle();
  expect(sent.map(({ type }) => type)).toEqual(["m.room.message"]);
});

test("what only looks like one of our messages is none", async () => {
  begin();
  events.set("$forged", { sender: ann, content: { "matrix_voice_bot.recording": "r1" } });
  events.set("$other", { sender: BOT, content: { "matrix_voice_bot.recording": "r0" } });
  await agent.handle(reaction("$forged", "🔇"));
  await agent.handle(reaction("$other", "🔇", { eventId: "$f" }));
  await agent.handle(reaction("$nothing", "🔇", { eventId: "$g" }));
  expect(agent.consent.agreed(ann)).toBe(true);
  events.set("$earlier run", { sender: BOT, content: { "matrix_voice_bot.recording": "r1" } });
  await agent.handle(reaction("$earlier run", "🔇", { eventId: "$h" }));
  expect(agent.consent.agreed(ann)).toBe(false);
});

test("reactions of a snapshot, malformed ones and the same one twice say nothing", async () => {
  begin();
  await agent.say(started, "r1 notice started");
  await agent.handle(reaction("$1", "🔇", { origin: "state" }));
  await agent.handle(event({ content: { "m.relates_to": { rel_type: "m.annotation", key: "🔇" } } }));
  await agent.handle(reaction("$1", "🔇".repeat(100), { eventId: "$long" }));
  expect(agent.consent.agreed(ann)).toBe(true);
});

test("a room that asks first from now on is told so where it can answer, a looser one is not told to refuse again", async () => {
  begin();
  mode = "opt-in";
  changed({ name: "record.consent" });
  await settle();
  expect(sent[0]?.content["body"]).toMatch(/only who agrees/);
  expect(sent[1]?.content).toMatchObject({ "m.relates_to": { key: "✅", event_id: "$1" } });
  await agent.handle(reaction("$1", "✅"));
  expect(agent.consent.agreed(ann)).toBe(true);
  mode = "opt-out";
  changed({ name: "record.consent" });
  await settle();
  expect(sent).toHaveLength(2);
});

test("deleting tells what went wrong, and the refusal holds", async () => {
  begin();
  erase = () => Promise.reject(new Error("EIO"));
  await agent.control.optOut(ann, "recording");
  await expect(agent.control.remove(ann)).rejects.toMatchObject({
    say: { key: "consent.delete_failed", params: { reason: "EIO" } },
  });
  erase = () => Promise.resolve({ recordings: 1, files: 2, sent: 3 });
  await expect(agent.control.remove(ann)).resolves.toEqual({ recordings: 1, files: 2, sent: 3 });
  expect(agent.consent.agreed(ann)).toBe(false);
});
