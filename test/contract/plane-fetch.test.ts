import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import type { MediaPlane } from "../../src/media/plane.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { serveWeb, type Handler, type Web } from "../support/web.ts";
import { temporaryDirectory, until, Watched } from "./plane-rig.ts";

jest.setTimeout(30_000);

const SONG = new URL("../../audio/first-light.mp3", import.meta.url);
const [clock, log] = [systemClock, silentLog];

describe("the media child fetches", () => {
  const directory = temporaryDirectory();
  let web: Web;
  let handler: Handler;
  let plane: SupervisedPlane;
  /** What the environment names as a proxy, which Node would use by itself. */
  let proxy: Web;
  const environment = { ...process.env };

  beforeAll(async () => {
    web = await serveWeb((request, response) => handler(request, response));
    proxy = await serveWeb((_, response) => response.writeHead(502).end());
    Object.assign(process.env, { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy.url("/"), NO_PROXY: "" });
    const fetchPolicy = { allowHttp: true, allow: ["127.0.0.1"] };
    plane = new SupervisedPlane({ clock, log, ffmpegPath: null, fetchPolicy });
  });
  afterAll(async () => {
    process.env = environment;
    await plane.close();
    await Promise.all([web.close(), proxy.close()]);
  });

  const bring = (
    url: string,
    name: string,
    by: MediaPlane = plane,
  ): ReturnType<typeof plane.request<"fetch.file">> =>
    by.request({ kind: "fetch.file", url, path: path.join(directory(), name), maxBytes: 50e6 });

  test("a song, past the proxy of the environment, which is then played and says what it is", async () => {
    handler = (_, response) => response.end(readFileSync(SONG));
    const file = path.join(directory(), "song");
    const { size } = await stat(SONG);
    expect(await bring(web.url("/x"), "song")).toMatchObject({ what: "audio", bytes: size });
    expect(proxy.asked).toEqual([]);
    const tags = await plane.request({ kind: "probe", source: { path: file } });
    expect(tags).toMatchObject({ title: "First Light" });
    const watched = new Watched(plane);
    await watched.open("room");
    await watched.play("room", file, { track: "song" });
    await watched.event("track.started", ({ track }) => track === "song");
    await plane.request({ kind: "channel.close", channel: "room" });
  });

  test("what is refused crosses with its own sentence, and leaves no file", async () => {
    handler = (request, response) =>
      request.url === "/away"
        ? response.writeHead(302, { location: "http://169.254.169.254/latest/" }).end()
        : response.writeHead(404).end();
    await expect(bring(web.url("/away"), "away")).rejects.toMatchObject({
      code: "fetch_refused",
      say: { key: "fetch.own_network", params: { host: "169.254.169.254" } },
    });
    await expect(bring(web.url("/gone"), "gone")).rejects.toMatchObject({
      code: "fetch_failed",
      say: { key: "fetch.status", params: { status: 404 } },
    });
    expect(await readdir(directory())).not.toContain("away");
  });

  test("without leave nothing of its own network, and nothing over http", async () => {
    const strict = new SupervisedPlane({ clock, log, ffmpegPath: null });
    try {
      web.asked.length = 0;
      const [http, near] = [web.url("/"), `https://127.0.0.1:${web.port}/`];
      await expect(bring(http, "a", strict)).rejects.toMatchObject({ say: { key: "fetch.http" } });
      await expect(bring(near, "b", strict)).rejects.toMatchObject({ say: { key: "fetch.own_network" } });
      expect(web.asked).toEqual([]);
    } finally {
      await strict.close();
    }
  });

  test("a download that nobody wants any more ends, alone and at once, and leaves no file", async () => {
    handler = (_, response) => response.write("fLaC");
    const leaving = new AbortController();
    const [gone, kept] = ["gone", "kept"].map((name) =>
      plane.request(
        { kind: "fetch.file", url: web.url("/"), path: path.join(directory(), name), maxBytes: 50e6 },
        name === "gone" ? leaving.signal : undefined,
      ),
    );
    kept?.catch(() => undefined);
    await until("both downloads", () => web.open() === 2 || undefined);
    leaving.abort();
    await expect(gone).rejects.toMatchObject({ code: "cancelled" });
    await until("the end of one", () => web.open() === 1 || undefined);
    expect(await readdir(directory())).not.toContain("gone");
    expect(await readdir(directory())).toContain("kept");
  });

  test("a download that is under way ends with the child", async () => {
    handler = (_, response) => response.write("fLaC");
    const ending = bring(web.url("/"), "long");
    ending.catch(() => undefined);
    await until("the download", () => web.open() > 0 || undefined);
    await plane.close();
    await expect(ending).rejects.toMatchObject({
      code: expect.stringMatching(/^(media_plane_down|cancelled)$/),
    });
    await until("its end", () => web.open() === 0 || undefined);
  });
});
