import { render, type Sentence } from "../../../src/base/messages/catalogue.ts";
import { greet } from "../../../src/bot/greeting.ts";
import { decodePowerLevels, powerNeeded, powerOf } from "../../../src/matrix/power-levels.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const callstate = "de.mtorials.test.callstate";

class Room {
  readonly documents = new FakeDocuments();
  readonly said: { text: string; what: string }[] = [];
  encrypted = false;
  content: object = { events: { [callstate]: 0 } };
  limited = false;
  /** Whether the homeserver takes what is said. */
  takes = true;

  /** The bot comes, as after an invitation; or its run was cut short, and the join comes again. */
  async join(): Promise<void> {
    const levels = decodePowerLevels(this.content);
    await greet({
      room: {
        id: "!den:voice.test",
        ownUserId: "@bot:voice.test",
        encrypted: this.encrypted,
        powerOf: (userId) => powerOf(userId, levels, null),
        powerNeeded: (type, isState) => powerNeeded(type, isState, levels),
      },
      talk: {
        language: "en",
        tellOnce: async (sentence: Sentence, what: string) => {
          this.said.push({ text: render(sentence).text, what });
          return this.takes;
        },
      },
      documents: this.documents,
      prefix: "?",
      limited: this.limited,
    });
  }

  get texts(): string[] {
    return this.said.map(({ text }) => text);
  }
}

test("where all is well: what it does, and the commands to begin with; once, also after a restart", async () => {
  const room = new Room();
  await room.join();
  await room.join();
  expect(room.texts).toEqual([expect.stringMatching(/^Hello! .*\?play name.*\?help/)]);
});

test("what is missing, each with what changes it, and the command for the operator", async () => {
  const room = new Room();
  room.content = { events_default: 25 };
  room.limited = true;
  await room.join();
  const [text = ""] = room.texts;
  expect(text.split("\n– ")).toEqual([
    expect.stringContaining("something is missing"),
    expect.stringMatching(/^I cannot join .*callstate needs power level 50, and I have 0\. .*set it to 0/),
    expect.stringMatching(/^I cannot join .*test\.call needs power level 25/),
    expect.stringMatching(/^I cannot answer/),
    expect.stringMatching(/^Members cannot .*callstate/),
    expect.stringMatching(/^Members cannot .*test\.call /),
    expect.stringMatching(/^Only people with power level 25/),
    expect.stringMatching(/homeserver takes only a few/),
    expect.stringMatching(/room grant '!den:voice\.test'\n.*\?play name.*\?help/),
  ]);
});

test("a limit alone is no matter for room grant", async () => {
  const room = new Room();
  room.limited = true;
  await room.join();
  expect(room.texts[0]).toMatch(/homeserver takes only a few/);
  expect(room.texts[0]).not.toMatch(/room grant/);
});

test("in an encrypted room only that it cannot work there", async () => {
  const room = new Room();
  room.encrypted = true;
  room.content = {};
  await room.join();
  expect(room.texts).toEqual([expect.stringMatching(/^This room is encrypted/)]);
});

test("what the homeserver may not have taken is said again, as the same event; after a new invitation as another", async () => {
  const room = new Room();
  room.takes = false;
  await room.join();
  room.takes = true;
  await room.join();
  const [first, second] = room.said;
  expect(second).toEqual(first);
  expect(second?.what).toMatch(/^greeting ./);
  await room.join();
  expect(room.said).toHaveLength(2);
  room.documents.kept.clear(); // as the store forgets a room that was left
  await room.join();
  expect(room.said[2]?.what).not.toBe(first?.what);
});
