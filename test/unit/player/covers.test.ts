// Covers of cards: found once, uploaded once, and nobody's trouble when they cannot be had.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog, type Log } from "../../../src/base/log.ts";
import { Covers, type PicturePlace } from "../../../src/player/cover/covers.ts";
import { RoomCovers } from "../../../src/player/cover/room-covers.ts";
import { emptyQueue, type StoredSource, type Track } from "../../../src/player/queue.ts";
import { RoomPlayer } from "../../../src/player/playback.ts";
import { SavedLists } from "../../../src/player/saved-lists.ts";
import { decodeAnswer } from "../../../src/player/ytdlp/answer.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane } from "../../fakes/plane.ts";

let directory: string;
let clock: FakeClock;
let plane: FakePlane;
/** Sizes of pictures, by place. */
let pictures: Map<string, { width: number; height: number } | Error>;
let uploaded: string[];
let gone: Set<string>;
let refusal: Error | null;
let logged: unknown[];
let covers: Covers;

const SIZE = { width: 320, height: 320 };
const log: Log = { ...silentLog, info: (...line) => void logged.push(line) };
const open = (): Covers =>
  new Covers({
    ...{ dataDir: directory, clock, log },
    upload: async (path) => {
      expect(readdirSync(join(directory, "cache", "covers"))).toContain(path.split("/").at(-1));
      if (refusal) throw refusal;
      return `mxc://hs/${uploaded.push(path)}`;
    },
    has: (mxc) => Promise.resolve(!gone.has(mxc)),
  });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "covers-"));
  clock = new FakeClock();
  [pictures, uploaded, gone, refusal, logged] = [new Map(), [], new Set(), null, []];
  plane = new FakePlane({
    clock,
    coverOf: (place) => {
      const size = pictures.get(place) ?? null;
      if (size instanceof Error) throw size;
      return size;
    },
  });
  covers = open();
});
afterEach(async () => {
  covers.close();
  await plane.close();
  rmSync(directory, { recursive: true });
});

const file = (name: string, size: { width: number; height: number } | Error | null, text = name): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  if (size) pictures.set(path, size);
  return path;
};
const find = (...places: PicturePlace[]): ReturnType<Covers["find"]> =>
  covers.find({ places, plane, mayUpload: () => true });
const asked = (): number => plane.requests.filter(({ kind }) => kind === "cover.make").length;

describe("for all rooms", () => {
  test("the first place that has one counts; it is uploaded once, also from other files and after a restart", async () => {
    const [plain, song, copy] = [file("plain", null), file("song", SIZE), file("copy", SIZE, "song")];
    const other = file("other", SIZE);
    const cover = { mxc: "mxc://hs/1", ...SIZE };
    expect(await find({ path: plain }, { path: song }, { path: other })).toEqual(cover);
    expect(await find({ path: copy })).toEqual(cover);
    expect(asked()).toBe(2);
    // Another file with the same picture.
    expect(await find({ path: other })).toEqual(cover);
    covers.close();
    covers = open();
    expect(await find({ path: plain }, { path: song })).toEqual(cover);
    expect([asked(), uploaded.length]).toEqual([3, 1]);
    expect(readdirSync(join(directory, "cache", "covers"))).toEqual([]);
  });

  test("what the homeserver has forgotten is uploaded again", async () => {
    const song = file("song", SIZE);
    await find({ path: song });
    gone.add("mxc://hs/1");
    covers.close();
    covers = open();
    expect(await find({ path: song })).toMatchObject({ mxc: "mxc://hs/2" });
  });

  test("where the homeserver takes none there is none, and it is not asked again for a while", async () => {
    const [one, two] = [file("one", SIZE), file("two", { width: 100, height: 100 })];
    refusal = new BotError("forbidden", "no");
    expect(await find({ path: one })).toBeNull();
    refusal = null;
    expect(await find({ path: two })).toBeNull();
    expect(uploaded).toEqual([]);
    expect(logged).toEqual([["cover_failed", { code: "forbidden", reason: "not uploaded: no" }]]);
    await clock.advance(600_001);
    expect(await find({ path: one })).toMatchObject(SIZE);
  });

  test("what cannot be looked at is left alone for a while; a plane that falls says nothing about it", async () => {
    const slow = file("slow", new BotError("timeout", "too long"));
    expect([await find({ path: slow }), await find({ path: slow })]).toEqual([null, null]);
    expect(asked()).toBe(1);
    const song = file("song", new BotError("media_plane_down", "it fell", { retryable: true }));
    expect(await find({ path: song })).toBeNull();
    pictures.set(song, SIZE);
    expect(await find({ path: song })).toMatchObject(SIZE);
    expect(await find({ path: join(directory, "missing") }, { url: "https://x.example/a.jpg" })).toBeNull();
  });

  test("of an address", async () => {
    pictures.set("https://x.example/a.jpg", SIZE);
    expect(await find({ url: "https://x.example/a.jpg" })).toMatchObject(SIZE);
    await find({ url: "https://x.example/a.jpg" });
    expect(asked()).toBe(1);
  });
});

describe("what yt-dlp says of a picture", () => {
  const answered = (said: object): unknown => {
    const found = decodeAnswer(JSON.stringify({ title: "t", ...said }), "https://x.example/", 5);
    return found.kind === "one" ? found.answer.picture : null;
  };

  test.each([
    [
      { thumbnail: "https://x.example/a.jpg", thumbnails: [{ url: "https://x.example/b" }] },
      "https://x.example/a.jpg",
    ],
    [
      { thumbnails: [{ url: "https://x.example/1" }, { url: "https://x.example/2" }, {}, 7] },
      "https://x.example/2",
    ],
    [{ thumbnail: "file:///etc/passwd" }, undefined],
    [{ thumbnail: `https://x.example/${"a".repeat(3_000)}` }, undefined],
    [{ thumbnail: 7, thumbnails: "x" }, undefined],
    [{}, undefined],
  ])("%j", (said, picture) => {
    expect(answered(said)).toBe(picture);
  });

  test("stays with its track in the queue, over a restart and in a list", async () => {
    const documents = new FakeDocuments();
    const player = (): RoomPlayer =>
      new RoomPlayer({
        ...{ channel: "!r:hs", plane, documents, clock, log: silentLog, tell: () => undefined },
        open: () => Promise.resolve({ path: "/x" }),
      });
    const source: StoredSource = { kind: "ytdlp", url: "https://x.example/watch" };
    const found = {
      source,
      title: "t",
      durationMs: 1_000,
      isDescribed: true,
      picture: "https://x.example/a.jpg",
    };
    const first = player();
    // A site may say anything of who made it.
    const artist = `Ann\n${"x".repeat(2_000)}`;
    await first.addMany([{ ...found, artist }, found], "@ann:hs");
    first.close();
    const again = player();
    again.restore();
    const { now, upcoming } = again.state();
    expect([now?.track.picture, upcoming[0]?.picture]).toEqual([found.picture, found.picture]);
    expect([now?.track.artist?.length, now?.track.artist?.slice(0, 5)]).toEqual([300, "Ann x"]);
    const lists = new SavedLists({ documents, tell: () => undefined });
    lists.save("mine", upcoming, "@ann:hs");
    expect(lists.load("mine").entries[0]?.picture).toBe(found.picture);
    again.close();
  });
});

describe("for one room", () => {
  let room: RoomCovers;
  let busy: boolean;
  let wanted: boolean;
  let opened: StoredSource[];
  let told: number;
  const source = (name: string): StoredSource => ({ kind: "library", path: name });
  const track = (name: string, of: StoredSource = source(name)): Track => ({
    ...{ id: name, title: name, artist: null, durationMs: null, requester: "@ann:hs", source: of },
  });
  const on = (now: Track | null, ...upcoming: Track[]): void =>
    room.changed({ ...emptyQueue, now: now && { track: now, phase: "playing", positionMs: 0 }, upcoming });
  /** Hashing and files take real time. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(() => {
    [busy, wanted, opened, told] = [false, true, [], 0];
    room = new RoomCovers({
      ...{ covers, plane, clock, isBusy: () => busy, isWanted: () => wanted },
      open: (of) => {
        opened.push(of);
        return Promise.resolve({ path: join(directory, "path" in of ? of.path : "") });
      },
      beside: (of) => Promise.resolve("path" in of && of.path === "bare" ? file("folder.jpg", SIZE) : null),
    });
    room.onChange(() => told++);
  });
  afterEach(() => room.close());

  test("a second after it began, of what is on and of what is next; the next one's is there at once", async () => {
    file("one", SIZE);
    file("two", { width: 100, height: 50 });
    on(track("one"), track("two"), track("three"));
    await clock.advance(900);
    await settle();
    expect(asked()).toBe(0);
    await clock.advance(200);
    await settle();
    expect(room.of("one")).toMatchObject(SIZE);
    expect(room.of("two")).toMatchObject({ width: 100 });
    expect([told, asked()]).toEqual([1, 2]);
    on(track("two"));
    expect([room.of("two")?.width, room.of("one")]).toEqual([100, null]);
  });

  test("a picture beside the file, where the file has none", async () => {
    file("bare", null);
    on(track("bare"));
    await clock.advance(1_000);
    await settle();
    expect(room.of("bare")).toMatchObject(SIZE);
  });

  test("nothing is fetched for it: only what the player has opened", async () => {
    const web: StoredSource = { kind: "url", url: "https://x.example/a.mp3" };
    const song = file("song", SIZE);
    on(track("web", web));
    await clock.advance(1_000);
    await settle();
    expect([opened, room.of("web")]).toEqual([[], null]);
    room.opened(web, { path: song });
    on(track("web", web));
    await clock.advance(1_000);
    await settle();
    expect(room.of("web")).toMatchObject(SIZE);
    expect(opened).toEqual([]);
  });

  test("a picture that a site names, once the track was brought", async () => {
    pictures.set("https://x.example/p.webp", SIZE);
    const page: StoredSource = { kind: "ytdlp", url: "https://x.example/watch" };
    room.opened(page, { path: file("brought", null) });
    on({ ...track("page", page), picture: "https://x.example/p.webp" });
    await clock.advance(1_000);
    await settle();
    expect(room.of("page")).toMatchObject(SIZE);
  });

  test("waits while the homeserver has more important things to take, and where nobody wants one for ever", async () => {
    file("one", SIZE);
    busy = true;
    on(track("one"));
    await clock.advance(30_000);
    await settle();
    expect(asked()).toBe(0);
    [busy, wanted] = [false, false];
    await clock.advance(30_000);
    await settle();
    expect(asked()).toBe(0);
    wanted = true;
    on(track("one"));
    await clock.advance(1_000);
    await settle();
    expect(told).toBe(1);
  });

  test("one room uploads no more than sixty an hour", async () => {
    for (let i = 0; i < 62; i++) {
      file(`song ${i}`, { width: 100 + i, height: 100 });
      on(track(`song ${i}`));
      await clock.advance(1_000);
      while (asked() <= i) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await settle();
    expect(uploaded.length).toBe(61); // A minute has gone by.
  });
});
