import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { MediaPlane, PlaneEventOf, PlaneResult } from "../../src/media/plane.ts";
import { connect, pause, temporaryDirectory, Watched, writeTone } from "./plane-rig.ts";

/** What every media plane does about what is kept of a channel, and about announcements; a fake one included. */
export function describeKept(name: string, create: () => MediaPlane): void {
  describe(`${name}: what is kept`, () => {
    const directory = temporaryDirectory();
    const channel = "room";
    let tone: string;
    let folders = 0;
    let a: Watched;
    let b: Watched;

    beforeAll(async () => {
      tone = await writeTone(path.join(directory(), "tone.wav"), 440, 1);
    });
    beforeEach(() => {
      [a, b] = [new Watched(create()), new Watched(create())];
    });
    afterEach(() => Promise.all([a.plane.close(), b.plane.close()]));

    const folder = async (): Promise<string> => {
      const made = path.join(directory(), `f${folders++}`);
      await mkdir(made);
      return made;
    };
    /** `a` is heard by `b` from now on for up to a second. */
    const speak = async (): Promise<void> => {
      a.events.length = 0;
      await a.play(channel, tone);
      await a.event("track.started");
      await pause(100);
    };
    const start = (into: string, speakers: string[]): Promise<object> =>
      b.plane.request({ kind: "record.start", channel, recording: "r", directory: into, speakers });
    const allow = (speakers: string[]): Promise<object> =>
      b.plane.request({ kind: "record.allow", channel, speakers });
    const erase = (speaker: string): Promise<PlaneResult<"record.erase">> =>
      b.plane.request({ kind: "record.erase", channel, speaker });
    const keep = (speakers: string[], seconds: number): Promise<object> =>
      b.plane.request({ kind: "clip.keep", channel, speakers, seconds });
    const writeClip = (into: string, seconds = 120): Promise<PlaneResult<"clip.write">> =>
      b.plane.request({ kind: "clip.write", channel, recording: "c", directory: into, seconds });
    const opened = (at: number): Promise<PlaneEventOf<"record.track">> =>
      b.event("record.track", (event) => b.all("record.track")[at] === event);

    test("nobody is recorded who was not named; who is erased has no file, and a new one when named again", async () => {
      await connect(a, b);
      const into = await folder();
      await expect(allow(["a"])).rejects.toMatchObject({ code: "not_found" });
      expect(await erase("a")).toEqual({ files: [] });
      await start(into, ["somebody else"]);
      await speak();
      await pause(100);
      expect(b.all("record.track")).toEqual([]);

      expect(await allow(["a", "somebody else"])).toEqual({});
      await speak();
      const first = await opened(0);
      expect(first).toMatchObject({ speaker: "a", what: "voice", recording: "r" });
      expect(await erase("somebody else")).toEqual({ files: [] });
      expect(await erase("a")).toEqual({ files: [first.file] });
      expect(await erase("a")).toEqual({ files: [] });
      await speak();
      await pause(100);
      expect(b.all("record.track")).toHaveLength(1);

      await allow(["a"]);
      await speak();
      const second = await opened(1);
      expect(second).toMatchObject({ speaker: "a", what: "voice" });
      // Who was taken off the list goes on in another file, and both are gone when they are erased.
      await allow([]);
      await allow(["a"]);
      await speak();
      const third = await opened(2);
      expect((await erase("a")).files).toEqual([second.file, third.file]);
      await allow(["a"]);
      // A pause ends the files; it goes on in new ones of the same folder. What a pause closed is not the plane's any more.
      await b.plane.request({ kind: "record.stop", channel });
      expect(await erase("a")).toEqual({ files: [] });
      await start(into, ["a"]);
      await speak();
      const last = await opened(3);
      expect(new Set([first, second, third, last].map(({ file }) => file)).size).toBe(4);
    });

    test("announcements are heard without a track and over one, four wait, and nobody is told that they are tracks", async () => {
      await connect(a, b);
      const announce = (file: string): Promise<object> =>
        a.plane.request({ kind: "announce.play", channel, source: { path: file } });
      await a.plane.request({
        ...{ kind: "record.start", channel, recording: "r", directory: await folder(), speakers: [] },
      });
      await expect(announce(path.join(directory(), "missing.wav"))).rejects.toMatchObject({
        code: "media_unreadable",
      });
      const startedMs = Date.now();
      for (let i = 0; i < 5; i++) expect(await announce(tone)).toEqual({});
      await expect(announce(tone)).rejects.toMatchObject({ code: "queue_full" });
      await pause(500);
      const heard = a.events.filter(({ kind }) => kind.startsWith("track."));
      expect(heard).toEqual([]);
      // Alone they make no track of the recording; what is played then does.
      expect(a.all("record.track")).toEqual([]);
      await speak();
      expect(await a.event("record.track")).toMatchObject({ speaker: "music", what: "music" });
      await a.plane.request({ kind: "play.stop", channel });
      // Each takes a second: on a busy machine some are over.
      const over = Math.floor((Date.now() - startedMs) / 1_000);
      for (let i = 0; i < over; i++) await announce(tone).catch(() => undefined);
      await expect(announce(tone)).rejects.toMatchObject({ code: "queue_full" });
      await a.plane.request({ kind: "channel.close", channel });
    });

    test("a clip has the last seconds of who is kept, and nothing of who is not or was taken off the list", async () => {
      await connect(a, b);
      const into = await folder();
      expect(await writeClip(into)).toEqual({ files: [] });
      await keep(["nobody"], 30);
      await speak();
      expect(await writeClip(into)).toEqual({ files: [] });
      await keep(["nobody", "a"], 30);
      await speak();
      const { files } = await writeClip(into);
      expect(files).toMatchObject([{ speaker: "a", what: "voice" }]);
      const again = await writeClip(into);
      expect(again.files).toMatchObject([{ speaker: "a", what: "voice" }]);
      expect(again.files[0]!.file).not.toBe(files[0]!.file);
      await a.plane.request({ kind: "play.stop", channel });
      await pause(300);
      await keep(["nobody"], 30);
      await keep(["nobody", "a"], 30);
      expect(await writeClip(into)).toEqual({ files: [] });
      await speak();
      await keep(["a"], 0);
      expect(await writeClip(into)).toEqual({ files: [] });
      expect(b.all("record.track")).toEqual([]);
    });
  });
}
