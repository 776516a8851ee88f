import { jest } from "@jest/globals";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import type { SupervisorOptions } from "../../src/media/supervisor.ts";
import { describePlane } from "./plane-behaviour.ts";
import { pause, temporaryDirectory, until, Watched, writeTone } from "./plane-rig.ts";
import { describeSound } from "./plane-sound.ts";

jest.setTimeout(30_000);

const supervised = (options: Partial<SupervisorOptions> = {}): SupervisedPlane =>
  new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null, ...options });

describePlane("in a child", supervised);
describeSound("in a child", supervised);

describe("the child's life", () => {
  const directory = temporaryDirectory();
  const channel = "room";
  let plane: SupervisedPlane;
  let watched: Watched;

  const start = (options: Partial<SupervisorOptions> = {}): void => {
    plane = supervised(options);
    watched = new Watched(plane);
  };
  afterEach(() => plane.close());

  test("there is none until it is needed, and none for long when it is not", async () => {
    start({ lingerMs: 300 });
    expect(plane.childPid).toBeNull();
    await plane.request({ kind: "channel.close", channel });
    expect(plane.childPid).toBeNull();
    await watched.open(channel);
    const pid = plane.childPid!;
    await pause(600);
    expect(plane.childPid).toBe(pid);
    await plane.request({ kind: "channel.close", channel });
    await until("its end", () => (plane.childPid === null && !alive(pid)) || undefined);
    expect(plane.state).toBe("up");
    expect(watched.states).toEqual([]);
    await plane.request({ kind: "ping" });
    expect(plane.childPid).not.toBe(pid);
  });

  test("killed: what was asked is rejected, it is down, then a new and empty one is up", async () => {
    start();
    await watched.open(channel);
    const pid = plane.childPid!;
    process.kill(pid, "SIGSTOP");
    const asked = Promise.allSettled([
      plane.request({ kind: "stats", channel }),
      plane.request({ kind: "peer.offer", channel, peer: "p" }),
    ]);
    process.kill(pid, "SIGKILL");
    for (const result of await asked)
      expect(result).toMatchObject({
        status: "rejected",
        reason: { code: "media_plane_down", retryable: true },
      });
    await watched.state("up");
    expect(watched.states).toEqual(["down", "up"]);
    expect(plane.childPid).not.toBe(pid);
    await expect(plane.request({ kind: "stats", channel })).rejects.toMatchObject({ code: "not_found" });
    await watched.open(channel);
  });

  test("killed while it plays: its decoder ends too", async () => {
    start();
    const tone = await writeTone(path.join(directory(), "long.wav"), 440, 60);
    await watched.open(channel);
    await watched.play(channel, tone);
    await watched.event("track.started");
    const pid = plane.childPid!;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    const decoders = children.trim().split(" ").map(Number);
    expect(decoders).toHaveLength(1);
    process.kill(pid, "SIGKILL");
    await until("the decoder's end", () => !alive(decoders[0]!) || undefined);
  });

  test("killed without a channel: nobody is started until somebody asks", async () => {
    start();
    await plane.request({ kind: "ping" });
    process.kill(plane.childPid!, "SIGKILL");
    await watched.state("down");
    await watched.state("up");
    await pause(300);
    expect(plane.childPid).toBeNull();
    await plane.request({ kind: "ping" });
  });

  test("hung: it is killed and replaced", async () => {
    start({ heartbeatMs: 100, stallMs: 500 });
    await watched.open(channel);
    const pid = plane.childPid!;
    process.kill(pid, "SIGSTOP");
    await watched.state("down");
    await until("the end of the hung one", () => !alive(pid) || undefined);
    await watched.state("up");
  });

  test("a control process that was busy does not blame the child", async () => {
    start({ heartbeatMs: 100, stallMs: 300 });
    await watched.open(channel);
    for (let i = 0; i < 2; i++) {
      const busyUntil = performance.now() + 700;
      while (performance.now() < busyUntil);
      await pause(150);
    }
    expect(watched.states).toEqual([]);
  });

  test("one that cannot start is down, is tried again later, and can be closed", async () => {
    start({ engines: [new URL("file:///nonexistent/engine.js")], backOffMs: [200] });
    await expect(watched.open(channel)).rejects.toMatchObject({ code: "media_plane_down" });
    expect(plane.state).toBe("down");
    await watched.state("up");
    await expect(watched.open(channel)).rejects.toMatchObject({ code: "media_plane_down" });
    expect(watched.states).toEqual(["down", "up", "down"]);
  });

  test("signals for the process group do not end it", async () => {
    start();
    await watched.open(channel);
    const pid = plane.childPid!;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
    await pause(200);
    await plane.request({ kind: "stats", channel });
    expect(plane.childPid).toBe(pid);
  });

  test("it does not see the bot's settings", async () => {
    process.env["VOICEBOT_ACCESS_TOKEN"] = "secret-token-of-the-bot";
    try {
      start();
      await plane.request({ kind: "ping" });
      const environment = await readFile(`/proc/${plane.childPid}/environ`, "utf8");
      expect(environment).toContain("PATH=");
      expect(environment).not.toContain("secret-token-of-the-bot");
    } finally {
      delete process.env["VOICEBOT_ACCESS_TOKEN"];
    }
  });

  test("when the control process dies it closes its files and ends", async () => {
    start();
    const into = path.join(directory(), "orphan");
    await mkdir(into);
    const tone = await writeTone(path.join(directory(), "tone.wav"), 440, 20);
    const script = path.join(directory(), "control.ts");
    const supervisor = new URL("../../src/media/supervisor.ts", import.meta.url).href;
    const base = new URL("../../src/base/", import.meta.url).href;
    await writeFile(
      script,
      `import { SupervisedPlane } from ${JSON.stringify(supervisor)};
       import { silentLog } from ${JSON.stringify(`${base}log.ts`)};
       import { systemClock } from ${JSON.stringify(`${base}system-clock.ts`)};
       const plane = new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null });
       const channel = "room";
       const ice = { servers: [], allowPrivate: "true" };
       await plane.request({ kind: "channel.open", channel, ice, bitrate: 128000 });
       await plane.request({ kind: "record.start", channel, recording: "r", directory: ${JSON.stringify(into)}, speakers: [] });
       plane.onEvent((event) => { if (event.kind === "record.track") process.send(plane.childPid); });
       const source = { path: ${JSON.stringify(tone)} };
       await plane.request({ kind: "play.start", channel, track: "t", source, positionMs: 0, paused: false });`,
    );
    const control = fork(script, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [pid] = (await once(control, "message")) as [number];
    await pause(300);
    control.kill("SIGKILL");
    await until("the child's end", () => !alive(pid) || undefined, 3_000);
    expect(await readdir(into)).toEqual(["music-001.mvt"]);
    const reader = await TrackReader.open(path.join(into, "music-001.mvt"));
    let packets = 0;
    for await (const record of reader.records()) if (record.type === "packet") packets++;
    expect(packets).toBeGreaterThan(10);
    expect(reader.end).toMatchObject({ tornBytes: 0, closedInOrder: true });
  });
});

/** Whether the process runs (a zombie does not). */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
