import { BotError } from "../../../src/base/errors.ts";
import { silentLog, type Log } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { RoomSettings, type SettingChange } from "../../../src/settings/room-settings.ts";
import { SETTING_NAMES, settingOf } from "../../../src/settings/table.ts";
import { settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

let documents: FakeDocuments;
let told: Sentence[];
let logged: string[];
const log: Log = { ...silentLog, warn: (event) => void logged.push(event) };
beforeEach(() => {
  documents = new FakeDocuments();
  told = [];
  logged = [];
});
const open = (): RoomSettings =>
  new RoomSettings({ documents, prefix: "!", log, tell: (sentence) => void told.push(sentence) });
function refusal(run: () => unknown): Sentence {
  try {
    run();
  } catch (error) {
    if (error instanceof BotError) return error.say;
  }
  throw new Error("it was taken");
}

test("is as by default until somebody sets it, and keeps what was set over a restart", () => {
  const settings = open();
  for (const name of SETTING_NAMES) {
    expect(settings.get(name)).toBe(settingOf(name).default);
    expect(settings.isDefault(name)).toBe(true);
  }
  expect(documents.kept.size).toBe(0);
  settings.set("record.auto", "3");
  settings.set("Language", " Deutsch ");
  settings.set("clip", "AN");
  expect([settings.get("record.auto"), settings.get("language"), settings.get("clip")]).toEqual([
    ...[3, "de", "on"],
  ]);
  const next = open();
  expect([next.get("record.auto"), next.get("language"), next.get("clip")]).toEqual([3, "de", "on"]);
  next.reset("language");
  expect(open().get("language")).toBe("en");
  expect(told).toEqual([]);
});

test("every default is what one could write, and reads back as itself", () => {
  for (const name of SETTING_NAMES) {
    const { schema, default: standard } = settingOf(name);
    expect(schema.parse(String(standard))).toBe(standard);
  }
});

test.each([
  ["record.auto", "1"],
  ["record.auto", "101"],
  ["record.auto", "2.5"],
  ["record.auto", "-3"],
  ["record.auto", "on"],
  ["record.auto", "1e2"],
  ["record.keep-days", "-1"],
  ["record.keep-days", "3651"],
  ["record.keep-days", ""],
  ["record.format", "mp3"],
  ["record.consent", "none"],
  ["language", "toString"],
  ["clip", "__proto__"],
])("refuses %s = %s with what is allowed, and stays as it was", (name, text) => {
  const settings = open();
  expect(refusal(() => settings.set(name, text))).toEqual({
    key: "settings.bad_value",
    params: { name, value: text, allowed: settingOf(settings.named(name)).allowed },
  });
  expect(settings.isDefault(settings.named(name))).toBe(true);
  expect(documents.kept.size).toBe(0);
});

test("a name that is none is answered with the nearest, or with all", () => {
  const settings = open();
  expect(refusal(() => settings.set("record.frmat", "wav")).params).toMatchObject({
    nearest: "record.format",
  });
  expect(refusal(() => settings.reset("languge")).params).toMatchObject({ nearest: "language" });
  expect(refusal(() => settings.set("colour", "red"))).toEqual({
    key: "settings.unknown",
    params: { name: "colour", names: SETTING_NAMES.join(", ") },
  });
  expect(refusal(() => settings.set("constructor", "x")).key).toBe("settings.unknown");
});

test("tells listeners of changes alone, when the new value is there", () => {
  const settings = open();
  const changes: (SettingChange & { now: unknown })[] = [];
  const off = settings.onChange((change) => changes.push({ ...change, now: settings.get("record.consent") }));
  settings.set("record.consent", "opt-in");
  settings.set("record.consent", "opt-in");
  settings.reset("record.consent");
  off();
  settings.set("record.consent", "opt-in");
  expect(changes).toEqual([
    { name: "record.consent", before: "opt-out", value: "opt-in", now: "opt-in" },
    { name: "record.consent", before: "opt-in", value: "opt-out", now: "opt-out" },
  ]);
});

test("a value that cannot be read is the default, logged and told once; the others and later ones stay", async () => {
  documents.write("settings", { "record.auto": "many", clip: 3, language: "de", "of.tomorrow": { a: 1 } });
  const settings = open();
  expect([settings.get("record.auto"), settings.get("clip"), settings.get("language")]).toEqual([
    ...["off", "off", "de"],
  ]);
  await settle();
  const lost = { key: "settings.damaged", params: { prefix: "!", names: "record.auto, clip" } };
  expect(told).toEqual([lost]);
  expect(logged).toEqual(["store_damaged", "store_damaged"]);
  const next = open();
  await settle();
  expect(told).toEqual([lost]);
  expect(next.get("language")).toBe("de");
  expect(documents.kept.get("settings")).toContain("of.tomorrow");
});

test("a document that cannot be read at all is told once", async () => {
  documents.write("settings", ["no", "settings"]);
  expect(open().get("language")).toBe("en");
  await settle();
  open();
  await settle();
  expect(told).toEqual([{ key: "settings.damaged_all", params: { prefix: "!" } }]);
});

test("takes over what another room had set, and tells listeners what is different now", () => {
  const settings = open();
  settings.set("clip", "on");
  const names: string[] = [];
  settings.onChange(({ name }) => names.push(name));
  documents.write("settings", { language: "de", clip: "on" });
  settings.reload();
  expect(settings.get("language")).toBe("de");
  expect(names).toEqual(["language"]);
});
