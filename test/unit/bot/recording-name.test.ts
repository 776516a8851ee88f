import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { RecordingName } from "../../../src/bot/recording-name.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const OWN = "@bot:test";
let clock: FakeClock;
let documents: FakeDocuments;
let member: { membership: string; displayname?: string; avatar_url?: string };
let writes: unknown[];
let refuse: BotError | null;
let name: RecordingName;

function build(): RecordingName {
  return new RecordingName({
    room: {
      id: "!room:test",
      ownUserId: OWN,
      displayName: () => member.displayname ?? OWN,
      encrypted: false,
    },
    session: {
      readState: () => Promise.resolve(member),
      outbox: {
        send: (_: string, outgoing: { content: typeof member }) => {
          if (refuse) return Promise.reject(refuse);
          member = outgoing.content;
          writes.push(member.displayname);
          return Promise.resolve("$1");
        },
      },
    } as unknown as ConstructorParameters<typeof RecordingName>[0]["session"],
    documents,
    language: () => "en",
    clock,
    log: silentLog,
  });
}

beforeEach(() => {
  clock = new FakeClock();
  documents = new FakeDocuments();
  member = { membership: "join", displayname: "Bot", avatar_url: "mxc://test/face" };
  writes = [];
  refuse = null;
  name = build();
});
afterEach(() => name.close());

test("says that it records, is paused, and is put back, with the picture; nothing is written twice", async () => {
  for (const mark of ["recording", "recording", "paused", "recording", null, null] as const) {
    name.want(mark);
    await settle();
  }
  const recording = "🔴 Bot (recording)";
  expect(writes).toEqual([recording, "⏸️ Bot (recording paused)", recording, "Bot"]);
  expect(member).toEqual({ membership: "join", displayname: "Bot", avatar_url: "mxc://test/face" });
  expect(documents.kept.size).toBe(0);
});

test("a start after a kill puts it back, also when the store is new; a recording that goes on keeps it", async () => {
  name.want("recording");
  await settle();
  name = build();
  name.want("recording");
  await settle();
  expect(writes).toHaveLength(1);
  documents.kept.clear();
  name.want(null);
  await settle();
  expect(writes.at(-1)).toBe("Bot");
  name = build();
  name.want(null);
  await settle();
  expect(writes).toHaveLength(2);
});

test("a bot without a name of its own has none again", async () => {
  member = { membership: "join" };
  name.want("recording");
  await settle();
  expect(member.displayname).toBe("🔴 bot (recording)");
  name.want(null);
  await settle();
  expect(member).toEqual({ membership: "join" });
});

test("a name that the account gets meanwhile is marked in a minute, and stays after", async () => {
  name.want("recording");
  await settle();
  member = { membership: "join", displayname: "Radio" };
  name.changed();
  name.changed();
  await clock.advance(60_000);
  expect(member.displayname).toBe("🔴 Radio (recording)");
  name.want(null);
  await settle();
  expect(member.displayname).toBe("Radio");
});

test("what the homeserver refuses is tried again every minute while it is wanted", async () => {
  refuse = new BotError("rate_limited", "429", { retryable: true });
  name.want("recording");
  await settle();
  refuse = null;
  await clock.advance(60_000);
  expect(writes).toEqual(["🔴 Bot (recording)"]);
});

test("changes while one is on its way are not lost, and closing leaves it to the next start", async () => {
  name.want("recording");
  name.want("paused");
  name.want(null);
  name.want("recording");
  await settle();
  expect(writes.at(-1)).toBe("🔴 Bot (recording)");
  name.close();
  name.want(null);
  await settle();
  expect(writes.at(-1)).toBe("🔴 Bot (recording)");
});
