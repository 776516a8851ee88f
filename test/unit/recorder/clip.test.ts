import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError, toBotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import type { MediaPlane, PlaneRequest, PlaneResult } from "../../../src/media/plane.ts";
import { RecordingArchive } from "../../../src/recorder/archive.ts";
import { RoomClips } from "../../../src/recorder/clip/clips.ts";
import { CLIP_SECONDS, ClipKeeper } from "../../../src/recorder/clip/keeper.ts";
import { ClipNotices } from "../../../src/recorder/clip/notices.ts";
import type { ExportChoice, Exporter, Splitter } from "../../../src/recorder/exporter.ts";
import { Journal, readJournal } from "../../../src/recorder/journal.ts";
import type { ChannelPerson } from "../../../src/recorder/presence.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDelivery } from "../../fakes/delivery.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { ann, bob, FakeConsent } from "../../support/recorder-rig.ts";

const cid: ChannelPerson = { key: "cid", userId: "@cid:test", name: "Cid" };

/** A room by hand: `kept` is what the media plane was asked, `told` what people read. */
class Bench {
  readonly clock = new FakeClock();
  readonly consent = new FakeConsent();
  readonly settings = new RoomSettings({
    ...{ documents: new FakeDocuments(), prefix: "!", log: silentLog, tell: () => undefined },
  });
  readonly kept: string[] = [];
  readonly told: Sentence[] = [];
  readonly errors: BotError[] = [];
  present: readonly ChannelPerson[] = [ann, bob];
  /** What `clip.write` finds. */
  heard: string[] = ["ann", "bob"];
  written: (PlaneRequest & { kind: "clip.write" }) | null = null;
  readonly #listeners = new Set<() => void>();
  readonly people = {
    list: () => this.present,
    onChange: (listener: () => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };
  readonly plane = {
    request: async (request: PlaneRequest): Promise<unknown> => {
      if (request.kind === "clip.keep") {
        this.kept.push(`${request.seconds}: ${request.speakers.join(" ")}`);
        const error = this.errors.shift();
        if (error) throw error;
        return {};
      }
      if (request.kind !== "clip.write") throw new Error(request.kind);
      this.written = request;
      const file = (index: number): string => `voice-00${index + 1}.mvt`;
      const files = this.heard.map((speaker, index) => ({
        speaker,
        file: file(index),
        what: "voice" as const,
      }));
      return { files } satisfies PlaneResult<"clip.write">;
    },
  } as Pick<MediaPlane, "request">;
  readonly deps = {
    ...{ channel: "!room:test", plane: this.plane, people: this.people, consent: this.consent },
    ...{ settings: this.settings, clock: this.clock, log: silentLog, prefix: "!" },
  };
  readonly keeper = new ClipKeeper(this.deps);
  readonly notices = new ClipNotices({ ...this.deps, tell: (sentence) => void this.told.push(sentence) });

  async now(...present: ChannelPerson[]): Promise<void> {
    this.present = present;
    for (const listener of this.#listeners) listener();
    await settle();
  }
  async set(value: "on" | "off"): Promise<void> {
    this.settings.set("clip", value);
    await settle();
  }
  taken(): string[] {
    return this.kept.splice(0);
  }
}

let bench: Bench;
beforeEach(() => void (bench = new Bench()));
afterEach(() => {
  bench.keeper.close();
  bench.notices.close();
  if (bench.clock.pending > 0) throw new Error("a timer is left");
});

describe("whose voices are kept", () => {
  test("nobody's, unless the room wants it: the media plane is not even asked", async () => {
    bench.keeper.channelOpened();
    await bench.now(ann, bob, cid);
    await bench.consent.refuse(bob.userId);
    expect(bench.taken()).toEqual([]);
    expect(bench.keeper.sinceMs).toBeNull();
  });

  test("those in the channel who agree, followed at once; switched off, nobody's", async () => {
    bench.keeper.channelOpened();
    await bench.set("on");
    await bench.now(ann, bob, cid);
    const refused = bench.consent.refuse(bob.userId);
    // Before anything else happens: the plane has the list when the promise is waited for.
    expect(bench.taken()).toEqual(["120: ann bob", "120: ann bob cid", "120: ann cid"]);
    await refused;
    await bench.now(cid);
    await bench.now(cid);
    await bench.set("off");
    expect(bench.taken()).toEqual(["120: cid", "0: "]);
    expect(bench.keeper.sinceMs).toBeNull();
  });

  test("told anew when the channel is opened anew, and not while it is closed", async () => {
    await bench.set("on");
    expect(bench.taken()).toEqual([]);
    bench.keeper.channelOpened();
    bench.clock.tick(5_000);
    bench.keeper.channelClosed();
    expect(bench.keeper.speakers).toEqual([]);
    await bench.now(ann);
    bench.keeper.channelOpened();
    expect(bench.taken()).toEqual(["120: ann bob", "120: ann"]);
    expect(bench.keeper.sinceMs).toBe(bench.clock.now());
  });

  test("a key that is somebody else's is forgotten first", async () => {
    bench.keeper.channelOpened();
    await bench.set("on");
    await bench.now(ann, { ...cid, key: "bob" });
    expect(bench.taken()).toEqual(["120: ann bob", "120: ann", "120: ann bob"]);
  });

  test("a list that was not taken is sent again, and nothing is made of what is kept until it was", async () => {
    bench.keeper.channelOpened();
    await bench.set("on");
    bench.errors.push(new BotError("timeout", "x"));
    await bench.consent.refuse(ann.userId);
    expect(await bench.keeper.settled()).toBe(false);
    await bench.clock.advance(500);
    expect(bench.taken()).toEqual(["120: ann bob", "120: bob", "120: bob"]);
    expect(await bench.keeper.settled()).toBe(true);
  });

  test("a plane that has no such channel keeps nothing, so that there is nothing to say again", async () => {
    bench.errors.push(new BotError("not_found", "x"));
    bench.keeper.channelOpened();
    await bench.set("on");
    await bench.clock.advance(10_000);
    expect(bench.taken()).toEqual(["120: ann bob"]);
  });
});

describe("who is told", () => {
  test("the room when the bot comes, then whoever comes, once, several in one; nobody while it is off", async () => {
    bench.notices.entered();
    await bench.now(ann, bob, cid);
    expect(bench.told).toEqual([]);
    bench.notices.left();
    await bench.set("on");
    await bench.now(ann);
    bench.notices.entered();
    expect(bench.told.splice(0)).toEqual([{ key: "clip.kept", params: { prefix: "!" } }]);
    await bench.now(ann, bob);
    await bench.now(ann);
    await bench.now(ann, bob, cid);
    const joined = (name: string): Sentence => ({ key: "clip.joined", params: { name, prefix: "!" } });
    expect(bench.told.splice(0)).toEqual([joined("Bob")]);
    bench.clock.tick(10_000);
    expect(bench.told.splice(0)).toEqual([joined("Cid")]);
    bench.clock.tick(10_000);
    expect(bench.told).toEqual([]);
  });

  test("who switches it on tells those who are there by that; who refused need not be told", async () => {
    bench.notices.entered();
    await bench.now(ann);
    await bench.set("on");
    await bench.consent.refuse(bob.userId);
    await bench.now(ann, bob);
    expect(bench.told).toEqual([]);
    await bench.now(ann, bob, cid);
    expect(bench.told).toMatchObject([{ params: { name: "Cid" } }]);
  });

  test("where people are asked first nobody is kept unasked, so nobody need be told", async () => {
    bench.consent.mode = "opt-in";
    await bench.set("on");
    bench.notices.entered();
    bench.told.length = 0;
    await bench.now(ann, bob, cid);
    expect(bench.told).toEqual([]);
  });
});

describe("a clip", () => {
  let directory: string;
  let inside: boolean;
  let finished: string[];
  let clips: RoomClips;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "voicebot-clip-"));
    [inside, finished] = [true, []];
    const archive: Pick<RecordingArchive, "create" | "discard" | "finish"> = {
      create: async ({ roomId, userId, name, title = null, clipAt }, onFailed) => {
        const journal = await Journal.create(directory, bench.clock, onFailed);
        const by = { roomId, byUserId: userId, byName: name, bootId: "b", title } as const;
        journal.add(
          { kind: "start", recording: "clip-1", what: clipAt ? "clip" : "recording", ...by },
          clipAt,
        );
        return { id: "clip-1", directory, journal };
      },
      discard: async ({ journal }) => {
        await journal.close();
        await rm(directory, { recursive: true });
      },
      finish: async (id) => void finished.push(id),
    };
    clips = new RoomClips({
      ...{ ...bench.deps, roomId: "!room:test", keeper: bench.keeper, archive },
      isInside: () => inside,
      displayName: () => "Ann",
      title: () => "Clip",
    });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const refusal = (seconds = 60): Promise<string> =>
    clips.make(ann.userId, seconds).then(
      () => "made",
      (error: unknown) => toBotError(error).say.key,
    );

  test("is a recording of that time: who was kept, from when, until now", async () => {
    await bench.set("on");
    bench.keeper.channelOpened();
    bench.clock.tick(300_000);
    await clips.make(bob.userId, 60);
    const { start, entries } = await readJournal(directory);
    const now = bench.clock.now();
    expect(start).toMatchObject({ what: "clip", title: "Clip", byUserId: bob.userId, atMs: now - 60_000 });
    expect(start.wallMs).toBe(bench.clock.wall() - 60_000);
    expect(entries.map(({ kind, atMs }) => [kind, atMs - now])).toEqual([
      ...[
        ["start", -60_000],
        ["joined", -60_000],
        ["joined", -60_000],
        ["track", -60_000],
      ],
      ...[
        ["track", -60_000],
        ["stop", 0],
      ],
    ]);
    expect(bench.written).toMatchObject({ recording: "clip-1", directory, seconds: 60 });
    expect(finished).toEqual(["clip-1"]);
  });

  test("is no longer than anything was kept", async () => {
    await bench.set("on");
    bench.keeper.channelOpened();
    bench.clock.tick(7_300);
    await clips.make(ann.userId, CLIP_SECONDS);
    expect(bench.written?.seconds).toBe(8);
    expect((await readJournal(directory)).start.atMs).toBe(bench.clock.now() - 8_000);
  });

  test("refused: off, not in the channel, one under way, nobody kept, nobody heard, list not taken; nothing is left", async () => {
    expect(await refusal()).toBe("clip.off");
    await bench.set("on");
    inside = false;
    expect(await refusal()).toBe("command.not_in_channel");
    inside = true;
    bench.present = [];
    bench.keeper.channelOpened();
    expect(await refusal()).toBe("clip.nothing");
    expect(await readdir(directory)).toEqual([]);
    await bench.now(ann);
    bench.heard = [];
    const first = refusal();
    expect(await refusal()).toBe("clip.busy");
    expect(await first).toBe("clip.nothing");
    await expect(readdir(directory)).rejects.toThrow(/ENOENT/);
    bench.errors.push(new BotError("timeout", "x"));
    await bench.now(ann, bob);
    expect(await refusal()).toBe("error.media_plane_down");
    expect(finished).toEqual([]);
  });
});

describe("what becomes of it", () => {
  let dataDir: string;
  let store: Store;
  let room: FakeDelivery;
  let asked: (Partial<ExportChoice> & { directory: string })[];
  let archive: RecordingArchive;
  const names = ["Ann.ogg", "Bob.ogg", "Everybody.ogg"];
  const tracks = names.map((file, index) => ({
    ...{ file, what: index < 2 ? ("voice" as const) : ("mix" as const), title: file, userId: null },
    ...{ bytes: 9, durationMs: 60_000, mimeType: "audio/ogg", waveform: null },
  }));
  const info = { file: "info.json", what: "info" as const, mimeType: "application/json", bytes: 9 };
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "voicebot-clips-"));
    store = Store.open({ dataDir, clock: bench.clock, log: silentLog });
    room = new FakeDelivery();
    asked = [];
    const exporter: Exporter & Splitter = {
      export: async (directory, { signal: _signal, onProgress: _onProgress, ...choice }) => {
        asked.push({ directory, ...choice });
        await mkdir(join(directory, "export"));
        for (const file of [...names, info.file]) await writeFile(join(directory, "export", file), file);
        return { durationMs: 60_000, tracks, documents: [info], mixProblem: null };
      },
      split: () => Promise.reject(new Error("not here")),
    };
    archive = new RecordingArchive({
      ...{ dataDir, clock: bench.clock, log: silentLog, index: store.recordings, exporter, prefix: "!" },
      room: () => room,
    });
  });
  afterEach(async () => {
    await archive.close();
    store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const by = { roomId: "!room:test", userId: ann.userId, name: "Ann" };
  const clipAt = { atMs: 0, wallMs: 0 };
  const fail = (error: unknown): never => {
    throw error;
  };

  test("the mix alone comes into the room, as Opus, whatever else the room wants of recordings", async () => {
    room.wishes = { format: "wav", zip: true, language: "de", keepDays: 0 };
    const { id, directory, journal } = await archive.create({ ...by, title: "Clip", clipAt }, fail);
    await journal.close();
    await archive.finish(id);
    expect(asked).toEqual([{ directory, format: "opus", zip: false, language: "de" }]);
    expect(room.sent).toEqual(["Everybody.ogg"]);
    expect(room.said).toEqual([{ key: "clip.delivered", params: { length: "1:00", by: "Ann" } }]);
    expect(await readdir(join(directory, "export"))).toEqual(["Everybody.ogg"]);
    expect(store.recordings.get(id)).toMatchObject({ title: "Clip", state: "delivered", tracks: 1 });
  });

  test("one that a kill has interrupted never goes on as a recording", async () => {
    const { id, journal } = await archive.create(
      { ...by, clipAt: { ...clipAt, wallMs: bench.clock.wall() } },
      fail,
    );
    await journal.close();
    archive.leave(id);
    await archive.findInterrupted();
    expect(archive.interrupted(by.roomId)).toBe(false);
    const recording = await archive.create(by, fail);
    await recording.journal.close();
    archive.leave(recording.id);
    await archive.findInterrupted();
    expect(archive.interrupted(by.roomId)).toBe(true);
  });

  test("a recording is exported as the room wanted it when it began", async () => {
    room.wishes = { format: "flac", zip: true, language: "en", keepDays: 0 };
    const { id, directory, journal } = await archive.create(by, fail);
    room.wishes = { format: "wav", zip: false, language: "de", keepDays: 0 };
    await journal.close();
    await archive.finish(id);
    expect(asked).toEqual([{ directory, format: "flac", zip: true, language: "de" }]);
  });
});
