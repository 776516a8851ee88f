import { existsSync } from "node:fs";
import { silentLog } from "../../../../src/base/log.ts";
import type { Language } from "../../../../src/base/messages/catalogue.ts";
import type { PlaneRequest } from "../../../../src/media/plane.ts";
import {
  noticeClip,
  SPOKEN_EVERY_MS,
  SpokenNotice,
  type Hearer,
} from "../../../../src/recorder/consent/spoken-notice.ts";
import { FakeClock } from "../../../fakes/clock.ts";

const ann: Hearer = { userId: "@ann:test", connected: true };
const bob: Hearer = { userId: "@bob:test", connected: true };
const connecting = (person: Hearer): Hearer => ({ ...person, connected: false });

let clock: FakeClock;
let present: Hearer[];
let changed: () => void;
let language: Language;
let fails: boolean;
/** When it was said, and from which file. */
let said: { atMs: number; path: string }[];
let notice: SpokenNotice;

beforeEach(() => {
  clock = new FakeClock(0);
  [present, language, fails, said] = [[], "en", false, []];
  notice = new SpokenNotice({
    ...{ channel: "!room:test", clock, log: silentLog, language: () => language },
    people: { list: () => present, onChange: (listener) => ((changed = listener), () => undefined) },
    plane: {
      request: (request: PlaneRequest): Promise<never> => {
        if (request.kind !== "announce.play") throw new Error(`not expected: ${request.kind}`);
        if (fails) return Promise.reject(new Error("no channel"));
        said.push({ atMs: clock.now(), path: request.source.path });
        return Promise.resolve({} as never);
      },
    },
  });
});

const come = (...people: Hearer[]): void => {
  present = people;
  changed();
};

test("who is there hears it at once, in the room's language, and once", async () => {
  language = "de";
  come(ann, bob);
  notice.began();
  await clock.advance(60_000);
  come(ann, bob, connecting({ userId: "@cat:test", connected: true }));
  await clock.advance(60_000);
  expect(said).toEqual([{ atMs: 0, path: noticeClip("de") }]);
});

test("nothing is said to nobody, nor to who is not connected yet", async () => {
  notice.began();
  come(connecting(ann));
  await clock.advance(60_000);
  expect(said).toEqual([]);
  come(ann);
  await clock.advance(5_000);
  expect(said).toHaveLength(1);
});

test("who comes later hears it, a crowd together, at most every 10 s", async () => {
  come(ann);
  notice.began();
  await clock.advance(2_000);
  const crowd: Hearer[] = [ann];
  for (let person = 0; person < 15; person++) {
    crowd.push({ userId: `@p${person}:test`, connected: true });
    come(...crowd);
    await clock.advance(1_000);
  }
  await clock.advance(60_000);
  expect(said.length).toBeGreaterThan(1);
  expect(said.length).toBeLessThanOrEqual(3);
  for (let i = 1; i < said.length; i++)
    expect(said[i]!.atMs - said[i - 1]!.atMs).toBeGreaterThanOrEqual(SPOKEN_EVERY_MS);
});

test("who went again before their turn is not spoken to", async () => {
  come(ann);
  notice.began();
  await clock.advance(1_000);
  come(ann, bob);
  await clock.advance(1_000);
  come(ann);
  await clock.advance(60_000);
  expect(said).toHaveLength(1);
});

test("nothing is said when nothing is recorded, and all hear it again when it begins again", async () => {
  come(ann);
  await clock.advance(20_000);
  notice.began();
  await clock.advance(20_000);
  notice.ended();
  come(ann, bob);
  await clock.advance(20_000);
  expect(said).toHaveLength(1);
  notice.began();
  await clock.advance(20_000);
  expect(said).toHaveLength(2);
  notice.close();
  expect(clock.pending).toBe(0);
});

test("what could not be said is said later", async () => {
  fails = true;
  come(ann);
  notice.began();
  await clock.advance(5_000);
  fails = false;
  await clock.advance(20_000);
  expect(said).toHaveLength(1);
});

test("there is a clip for each language", () => {
  expect(new Set([noticeClip("en"), noticeClip("de")]).size).toBe(2);
  for (const each of ["en", "de"] as const) expect(existsSync(noticeClip(each))).toBe(true);
});
