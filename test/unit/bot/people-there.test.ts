import { silentLog } from "../../../src/base/log.ts";
import { peopleThere } from "../../../src/bot/people-there.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

test("people in the channel are each once, without the bot's own account and without other bots of the room", () => {
  const settings = new RoomSettings({
    ...{ documents: new FakeDocuments(), prefix: "!", log: silentLog, tell: () => undefined },
  });
  const members = ["@bot:a", "@ann:a", "@ann:a", "@radio:b"].map((userId, at) => ({ key: `${at}`, userId }));
  const room = { ownUserId: "@bot:a" };
  const there = (): string[] => [
    ...peopleThere({ room, settings, channel: { members: () => members } as never }),
  ];
  expect(there()).toEqual(["@ann:a", "@radio:b"]);
  settings.set("bots", "@radio:b, @other:b");
  expect(there()).toEqual(["@ann:a"]);
  settings.set("bots", "off");
  expect(there()).toEqual(["@ann:a", "@radio:b"]);
});
