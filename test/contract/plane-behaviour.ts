import { mkdir } from "node:fs/promises";
import path from "node:path";
import { NO_FILTERS } from "../../src/media/messages.ts";
import type { MediaPlane } from "../../src/media/plane.ts";
import { describeKept } from "./plane-kept.ts";
import { connect, localIce, pause, temporaryDirectory, until, Watched, writeTone } from "./plane-rig.ts";

/** What every media plane does, a fake one included. Files named `missing…` do not exist. */
export function describePlane(name: string, create: () => MediaPlane): void {
  describeKept(name, create);
  describe(name, () => {
    const directory = temporaryDirectory();
    const channel = "room";
    let tone: string;
    let open: Watched[] = [];

    beforeAll(async () => {
      tone = await writeTone(path.join(directory(), "tone.wav"), 440, 1);
    });
    afterEach(async () => {
      await Promise.all(open.map(({ plane }) => plane.close()));
      open = [];
    });
    const start = (): Watched => {
      const watched = new Watched(create());
      open.push(watched);
      return watched;
    };

    test("is up for whoever asks first", async () => {
      const { plane } = start();
      expect(plane.state).toBe("up");
      expect(await plane.request({ kind: "ping" })).toEqual({});
    });

    test("connects two planes, and tells both when one says goodbye", async () => {
      const [a, b] = [start(), start()];
      await connect(a, b);
      const stats = await a.plane.request({ kind: "stats", channel });
      const nothing = {
        packetAgeMs: null,
        soundAgeMs: null,
        levelDbfs: null,
        dtx: false,
        clippedRecently: null,
      };
      expect(stats.peers).toMatchObject([
        { peer: "b", state: "connected", relayed: false, voice: nothing, packetsReceived: 0 },
      ]);
      expect(Object.values(stats.peers[0]!.way!)).not.toContain("relay");
      expect(stats.engine).not.toBe("");
      expect(stats.rssBytes).toBeGreaterThan(0);
      await a.plane.request({ kind: "peer.close", channel, peer: "b" });
      await b.event("peer.state", ({ peer, state }) => peer === "a" && state === "closed");
      expect(a.all("peer.state").filter(({ state }) => state === "closed")).toEqual([]);
      expect((await a.plane.request({ kind: "stats", channel })).peers).toEqual([]);
    });

    test("replaces a connection by a new one, whose end alone is told", async () => {
      const [a, b] = [start(), start()];
      await connect(a, b);
      a.events.length = 0;
      b.events.length = 0;
      await connect(a, b);
      await pause(200);
      const ends = a.all("peer.state").filter(({ state }) => state === "closed" || state === "failed");
      expect(ends).toEqual([]);
      for (const { plane } of [a, b])
        expect((await plane.request({ kind: "stats", channel })).peers).toMatchObject([
          { state: "connected" },
        ]);
    });

    test("takes candidates before the remote description is there, and any rubbish among them", async () => {
      const [a, b] = [start(), start()];
      await a.open(channel);
      await a.plane.request({ kind: "peer.offer", channel, peer: "b" });
      for (const candidate of [
        "candidate:1 1 UDP 2122317823 127.0.0.1 9 typ host",
        "",
        "rubbish",
        "x".repeat(1024),
      ])
        expect(
          await a.plane.request({ kind: "peer.candidate", channel, peer: "b", candidate, mid: null }),
        ).toEqual({});
      await connect(a, b);
    });

    test("names what is not there", async () => {
      const { plane } = start();
      const peer = "nobody";
      const missing = { code: "not_found" };
      await expect(plane.request({ kind: "peer.offer", channel, peer })).rejects.toMatchObject(missing);
      await expect(plane.request({ kind: "play.pause", channel })).rejects.toMatchObject(missing);
      await expect(plane.request({ kind: "stats", channel })).rejects.toMatchObject(missing);
      await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
      await expect(plane.request({ kind: "peer.answered", channel, peer })).rejects.toMatchObject(missing);
      await expect(plane.request({ kind: "peer.accept", channel, peer, sdp: "v=0" })).rejects.toMatchObject(
        missing,
      );
      await expect(
        plane.request({ kind: "peer.candidate", channel, peer, candidate: "x", mid: null }),
      ).rejects.toMatchObject(missing);
      expect(await plane.request({ kind: "peer.close", channel, peer })).toEqual({});
    });

    test("refuses an offer that is none", async () => {
      const { plane } = start();
      await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
      for (const sdp of ["", "rubbish", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"])
        await expect(plane.request({ kind: "peer.answer", channel, peer: "p", sdp })).rejects.toMatchObject({
          code: "bad_sdp",
        });
    });

    test("plays a track: started once, ended once, in that order", async () => {
      const watched = start();
      await watched.open(channel);
      await watched.play(channel, tone, { track: "one" });
      const ended = await watched.event("track.ended");
      expect(ended).toMatchObject({ track: "one", reason: "finished" });
      expect(ended.positionMs).toBeCloseTo(1_000, -2);
      const kinds = watched.events.map(({ kind }) => kind).filter((kind) => kind !== "track.position");
      expect(kinds).toEqual(["track.started", "track.ending", "track.ended"]);
    });

    test("pauses, goes on, stops", async () => {
      const watched = start();
      const { plane } = watched;
      await watched.open(channel);
      await watched.play(channel, tone, { paused: true });
      await pause(300);
      expect(watched.events).toEqual([]);
      await plane.request({ kind: "play.resume", channel });
      await watched.event("track.started");
      await pause(200);
      await plane.request({ kind: "play.pause", channel });
      await pause(1_200);
      expect(watched.all("track.ended")).toEqual([]);
      await plane.request({ kind: "play.resume", channel });
      await pause(100);
      await plane.request({ kind: "play.stop", channel });
      const { reason, positionMs } = await watched.event("track.ended");
      expect(reason).toBe("stopped");
      expect(positionMs).toBeGreaterThan(150);
      expect(positionMs).toBeLessThan(900);
      await plane.request({ kind: "play.stop", channel });
      await plane.request({ kind: "play.pause", channel });
      await plane.request({ kind: "play.resume", channel });
      await pause(100);
      expect(watched.all("track.ended")).toHaveLength(1);
    });

    test("replaces a track, and keeps it when the new one cannot be opened", async () => {
      const watched = start();
      await watched.open(channel);
      await watched.plane.request({ kind: "play.volume", channel, percent: 80 });
      await watched.play(channel, tone, { track: "first" });
      await watched.event("track.started");
      await expect(watched.play(channel, path.join(directory(), "missing.wav"))).rejects.toMatchObject({
        code: "media_unreadable",
      });
      expect(watched.all("track.ended")).toEqual([]);
      await watched.play(channel, tone, { track: "second", positionMs: 400 });
      expect(await watched.event("track.ended")).toMatchObject({ track: "first", reason: "replaced" });
      const second = await watched.event("track.ended", ({ track }) => track === "second");
      expect(second).toMatchObject({ reason: "finished" });
      expect(second.positionMs).toBeCloseTo(1_000, -2);
    });

    test("goes on with what was opened to follow, says so at the end, and takes it for what is started", async () => {
      const watched = start();
      const { plane } = watched;
      const next = (track: string) => ({ track, source: { path: tone } });
      await watched.open(channel);
      await watched.play(channel, tone, { track: "one", positionMs: 600 });
      await watched.event("track.started");
      await plane.request({ kind: "play.next", channel, next: next("two") });
      await plane.request({ kind: "play.next", channel, next: next("three") });
      const one = await watched.event("track.ended");
      expect(one).toMatchObject({ track: "one", reason: "finished", follows: "three" });
      await watched.event("track.started", ({ track }) => track === "three");
      await plane.request({ kind: "play.next", channel, next: next("four") });
      await watched.play(channel, tone, { track: "four" });
      const three = await watched.event("track.ended", ({ track }) => track === "three");
      expect(three).toMatchObject({ reason: "replaced", follows: null });
      await watched.event("track.started", ({ track }) => track === "four");
      await plane.request({ kind: "play.next", channel, next: next("five") });
      await plane.request({ kind: "play.next", channel, next: null });
      const four = await watched.event("track.ended", ({ track }) => track === "four");
      expect(four).toMatchObject({ reason: "finished", follows: null });
      await pause(200);
      const started = watched.all("track.started").map(({ track }) => track);
      expect(started).toEqual(["one", "three", "four"]);
      await expect(
        plane.request({
          kind: "play.next",
          channel,
          next: { ...next("six"), source: { path: path.join(directory(), "missing.wav") } },
        }),
      ).rejects.toMatchObject({ code: "media_unreadable" });
    });

    test("changes filters in mid-track without another start, and counts in time of the track", async () => {
      const watched = start();
      const { plane } = watched;
      await watched.open(channel);
      await watched.play(channel, tone, { track: "one" });
      await watched.event("track.started");
      await plane.request({ kind: "play.filters", channel, filters: { ...NO_FILTERS, speed: 2 } });
      const ended = await watched.event("track.ended");
      expect(ended).toMatchObject({ track: "one", reason: "finished" });
      expect(ended.positionMs).toBeCloseTo(1_000, -2);
      expect(watched.all("track.started")).toHaveLength(1);
    });

    test("takes by how much the music is turned down for voices, in a channel that is open", async () => {
      const { plane } = start();
      await expect(plane.request({ kind: "duck", channel, db: 12 })).rejects.toMatchObject({
        code: "not_found",
      });
      await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
      for (const db of [12, 0]) expect(await plane.request({ kind: "duck", channel, db })).toEqual({});
    });

    test("takes a volume for a peer, there or not", async () => {
      const [a, b] = [start(), start()];
      const request = { kind: "peer.volume", channel, peer: "b", percent: 40 } as const;
      await expect(a.plane.request(request)).rejects.toMatchObject({ code: "not_found" });
      await a.open(channel);
      expect(await a.plane.request(request)).toEqual({});
      await connect(a, b);
      for (const percent of [0, 200, 100]) expect(await a.plane.request({ ...request, percent })).toEqual({});
    });

    test("measures a file, and takes gains for whatever track is named, there or not", async () => {
      const watched = start();
      const { plane } = watched;
      await watched.open(channel);
      const scanned = await plane.request({ kind: "loudness.scan", source: { path: tone } });
      expect(scanned.lufs).toBeLessThan(0);
      expect(scanned.truePeakDb).toBeLessThan(0);
      expect(scanned.durationMs).toBeCloseTo(1_000, -2);
      const missing = { path: path.join(directory(), "missing.wav") };
      await expect(plane.request({ kind: "loudness.scan", source: missing })).rejects.toMatchObject({
        code: "media_unreadable",
      });
      await watched.play(channel, tone, { track: "one", gainDb: -6 });
      for (const track of ["one", "another"])
        expect(await plane.request({ kind: "play.gain", channel, track, gainDb: 3 })).toEqual({});
      expect(await watched.event("track.ended")).toMatchObject({ track: "one", reason: "finished" });
    });

    test("closes a channel with all that is in it, and opens it anew", async () => {
      const watched = start();
      const { plane } = watched;
      await watched.open(channel);
      await watched.open(channel, 64_000);
      await watched.play(channel, tone);
      await watched.event("track.started");
      await plane.request({ kind: "channel.close", channel });
      expect(await watched.event("track.ended")).toMatchObject({ reason: "stopped" });
      expect(await plane.request({ kind: "channel.close", channel })).toEqual({});
      await expect(plane.request({ kind: "stats", channel })).rejects.toMatchObject({ code: "not_found" });
      await watched.open(channel);
      expect((await plane.request({ kind: "stats", channel })).peers).toEqual([]);
    });

    test("records once at a time", async () => {
      const watched = start();
      const { plane } = watched;
      const into = path.join(directory(), "recordings");
      await mkdir(into, { recursive: true });
      await watched.open(channel);
      await plane.request({ kind: "record.start", channel, recording: "r1", directory: into, speakers: [] });
      await plane.request({ kind: "record.start", channel, recording: "r1", directory: into, speakers: [] });
      await expect(
        plane.request({ kind: "record.start", channel, recording: "r2", directory: into, speakers: [] }),
      ).rejects.toMatchObject({ code: "already_recording" });
      await watched.play(channel, tone);
      expect(await watched.event("record.track")).toMatchObject({
        recording: "r1",
        speaker: "music",
        what: "music",
      });
      await plane.request({ kind: "record.stop", channel });
      await plane.request({ kind: "record.stop", channel });
      await plane.request({ kind: "record.start", channel, recording: "r2", directory: into, speakers: [] });
      await watched.event("record.track", ({ recording }) => recording === "r2");
    });

    test("tells a listener no more once it has left", async () => {
      const watched = start();
      const { plane } = watched;
      let heard = 0;
      const leave = plane.onEvent(() => heard++);
      await watched.open(channel);
      await watched.play(channel, tone);
      await watched.event("track.started");
      leave();
      const before = heard;
      await watched.event("track.ended");
      expect(before).toBeGreaterThan(0);
      expect(heard).toBe(before);
    });

    test("closes once and for all", async () => {
      const watched = start();
      await watched.open(channel);
      await Promise.all([watched.plane.close(), watched.plane.close()]);
      expect(watched.plane.state).toBe("closed");
      expect(watched.states).toEqual(["closed"]);
      await expect(watched.plane.request({ kind: "ping" })).rejects.toMatchObject({
        code: "media_plane_down",
      });
      await until("a quiet end", () => watched.plane.state === "closed" || undefined);
    });
  });
}
