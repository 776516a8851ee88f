import { silentLog } from "../../../src/base/log.ts";
import { queueRules } from "../../../src/bot/queue-rules.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

test("the queue follows what the room sets, and is put in order when people take turns from now on", () => {
  const documents = new FakeDocuments();
  const settings = new RoomSettings({ documents, prefix: "!", tell: () => undefined, log: silentLog });
  const { rules, onRules } = queueRules(settings);
  const seen: boolean[] = [];
  const off = onRules(() => seen.push(rules().fair));
  expect(rules()).toEqual({ fair: false, maxPerPerson: 0 });
  settings.set("fair", "ja");
  settings.set("max-per-person", "5");
  settings.set("language", "de");
  expect(rules()).toEqual({ fair: true, maxPerPerson: 5 });
  expect(seen).toEqual([true]);
  off();
  settings.reset("fair");
  expect(seen).toEqual([true]);
});
