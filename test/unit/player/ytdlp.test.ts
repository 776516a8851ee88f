import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../src/base/clock.ts";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { render } from "../../../src/base/messages/catalogue.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { FetchLimits } from "../../../src/fetch/limits.ts";
import { FileCache } from "../../../src/player/resolver/cache.ts";
import { Sources, type Found, type FoundMany } from "../../../src/player/resolver/resolver.ts";
import { Ytdlp } from "../../../src/player/resolver/ytdlp.ts";
import { decodeAnswer } from "../../../src/player/ytdlp/answer.ts";
import {
  downloadArguments,
  lookArguments,
  runtimeArguments,
  searchArguments,
} from "../../../src/player/ytdlp/arguments.ts";
import { failureOf } from "../../../src/player/ytdlp/failure.ts";
import { runYtdlp } from "../../../src/player/ytdlp/process.ts";
import { ageDays, YtdlpFinder } from "../../../src/player/ytdlp/program.ts";
import { Slots } from "../../../src/player/ytdlp/slots.ts";
import { FakeClock } from "../../fakes/clock.ts";

/** By programs of the test's own; the real one is in test/integration/ytdlp.test.ts. */
const signal = new AbortController().signal;
const URL_ = "https://example.org/watch?v=x";
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-ytdlp-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function program(script: string): Promise<string> {
  const path = join(directory, `program-${Math.random().toString(36).slice(2)}`);
  const version = `case "$2" in --version) echo 2026.01.02; exit;; esac`;
  await writeFile(path, `#!/bin/sh\n${version}\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function ytdlpOf(
  setting: string | null,
  service: string | null = "ytsearch",
  clock: Clock = systemClock,
): Promise<Sources> {
  const files = new FileCache({
    ...{ directory: join(directory, "files"), maxFileBytes: 1_000, maxBytes: 5_000, clock },
  });
  const ytdlp = new Ytdlp({
    ...{ finder: new YtdlpFinder(setting, clock), service, files, limits: new FetchLimits() },
    ...{ workDirectory: join(directory, "work"), policy: { allowHttp: false, allow: [] } },
    ...{ clock, log: silentLog },
  });
  return new Sources([ytdlp]);
}

const play = (sources: Sources, text = URL_): Promise<Found | FoundMany> =>
  sources.resolve({ kind: "words", text }, signal);
/** A script that says `value` when it is asked, and brings something (or does `bring`) when it is told to. */
const answer = (value: object, bring = "echo sound > audio"): string =>
  `case "$*" in *--output*) ${bring};; *) cat <<'END'\n${JSON.stringify(value)}\nEND\n;; esac`;

describe("what is said to it", () => {
  test("sites' scripts run in our Node where it can be told so", () => {
    expect(runtimeArguments("2026.10.26", "/node")).toEqual(["--js-runtimes", "node:/node"]);
    expect(runtimeArguments("2025.11.12.230000", "/node")).toHaveLength(2);
    for (const version of ["2025.10.22", "nightly", ""])
      expect(runtimeArguments(version, "/node")).toEqual([]);
  });

  test("whatever people write stands behind the options", () => {
    const hostile = "https://example.org/--exec=id;$(id)";
    for (const args of [
      lookArguments(hostile),
      downloadArguments({ url: hostile, item: 3 }, { maxBytes: 10 }),
      searchArguments("ytsearch", "--exec id", 5),
    ]) {
      expect(args.indexOf("--")).toBe(args.length - 2);
      expect(args.slice(0, -2).join(" ")).not.toContain("id;");
      expect(args).toEqual(expect.arrayContaining(["--ignore-config", "--no-exec", "--no-cookies"]));
    }
    expect(searchArguments("ytsearch", "--exec id", 5).at(-1)).toBe("ytsearch5:--exec id");
  });

  test("it has nothing of our environment, and its folder for a home", async () => {
    process.env["VOICEBOT_ACCESS_TOKEN"] = "secret";
    try {
      const path = await program("env; pwd");
      const common = { program: path, args: ["x"], directory, timeoutMs: 5_000, maxOutputBytes: 1e5 };
      const { output } = await runYtdlp({
        ...common,
        proxy: "http://u:p@127.0.0.1:1",
        signal,
        clock: systemClock,
      });
      expect(output).not.toContain("secret");
      expect(output).toContain(`HOME=${directory}`);
      expect(
        output
          .split("\n")
          .filter((line) => /proxy=/.test(line))
          .sort(),
      ).toEqual(["all", "http", "https"].map((name) => `${name}_proxy=http://u:p@127.0.0.1:1`));
    } finally {
      delete process.env["VOICEBOT_ACCESS_TOKEN"];
    }
  });
});

describe("how it is found", () => {
  test("it is asked in a home of its own, which is gone afterwards", async () => {
    const path = await program("true");
    await writeFile(path, `#!/bin/sh\n(pwd; env) > ${directory}/asked\necho 2026.01.02\n`);
    await new YtdlpFinder(path, systemClock).find();
    const [home = "", ...environment] = (await readFile(join(directory, "asked"), "utf8")).split("\n");
    expect(home).toMatch(/voicebot-ytdlp-[^/]+$/);
    expect(environment).toEqual(expect.arrayContaining([`HOME=${home}`, "PYTHONNOUSERSITE=1"]));
    await expect(readdir(home)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("what it says", () => {
  test("one track, by its tags where it has them", async () => {
    const sources = await ytdlpOf(
      await program(
        answer({ id: "x", title: "A – B (Video)", track: "B", artist: "A", duration: 61.5, extra: {} }),
      ),
    );
    expect(await play(sources)).toEqual({
      ...{ source: { kind: "ytdlp", url: URL_ }, title: "B", artist: "A" },
      ...{ durationMs: 61_500, isDescribed: true },
    });
  });

  test("what cannot be brought is told who asks for it; what takes long is begun", async () => {
    const failing = answer(
      { title: "t", duration: 3 },
      "echo 'ERROR: [x] HTTP Error 403: Forbidden' >&2; exit 1",
    );
    await expect(play(await ytdlpOf(await program(failing)))).rejects.toMatchObject({
      code: "fetch_failed",
      say: { key: "ytdlp.failed_old", params: { reason: "HTTP Error 403: Forbidden" } },
    });
    const slow = answer({ title: "t", duration: 3 }, `touch ${directory}/begun; sleep 60`);
    const clock = new FakeClock();
    const sources = await ytdlpOf(await program(slow), null, clock);
    const asking = play(sources);
    while (!(await readdir(directory)).includes("begun"))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await clock.advance(20_000);
    expect(await asking).toMatchObject({ title: "t" });
    const opening = sources.open({ kind: "ytdlp", url: URL_ }, signal).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.advance(60_000);
    expect(await opening).toMatchObject({ code: "timeout", say: { key: "fetch.takes_long" } });
    sources.close();
    await clock.advance(1_000);
  });

  test("a list: references by their address, others as the n-th of their page; odd ones are left out", () => {
    const entries = [
      { _type: "url", url: "https://example.org/1", title: "One", duration: 10 },
      null,
      { title: "Three", duration: "long", url: "https://cdn.example.org/signed" },
      { _type: "url", url: "file:///etc/passwd", title: "Four" },
      "rubbish",
      { _type: "url", url: "https://example.org/6", id: "six", title: "x".repeat(200_000) },
    ];
    const output = JSON.stringify({ _type: "playlist", title: "List", webpage_url: `${URL_}&p=1`, entries });
    expect(decodeAnswer(output, URL_, 3)).toEqual({
      ...{ kind: "many", title: "List", left: 1 },
      answers: [
        expect.objectContaining({ url: "https://example.org/1", title: "One", durationMs: 10_000 }),
        expect.objectContaining({ url: `${URL_}&p=1`, item: 3, title: "Three", durationMs: null }),
        expect.objectContaining({ url: `${URL_}&p=1`, item: 4, title: "Four" }),
      ],
    });
  });

  test("a page that calls itself a file, or is there without TLS alone, is the one that was asked for", async () => {
    const output = JSON.stringify({ title: "t", webpage_url: "file:///etc/passwd" });
    expect(decodeAnswer(output, URL_, 5)).toMatchObject({ kind: "one", answer: { url: URL_ } });
    const told = { title: "t", duration: 3, webpage_url: URL_.replace("https:", "http:") };
    const found = await play(await ytdlpOf(await program(answer(told))));
    expect(found).toMatchObject({ source: { kind: "ytdlp", url: URL_ } });
  });

  test.each(["", "null", "[]", '"x"', "{", "<html>"])("%j is no answer", (output) => {
    expect(() => decodeAnswer(output, URL_, 5)).toThrow(
      expect.objectContaining({ code: "media_unreadable" }),
    );
  });

  test.each([
    [{ title: "t", is_live: true }, "ytdlp.live"],
    [{ title: "t", live_status: "is_upcoming" }, "ytdlp.live"],
    [{ title: "t", duration: 50_000 }, "ytdlp.too_long"],
    [{ title: "t", entries: [] }, "playlist.empty"],
  ])("%j is refused: %s", async (said, key) => {
    await expect(play(await ytdlpOf(await program(answer(said))))).rejects.toMatchObject({ say: { key } });
  });

  test("more than it may say ends it", async () => {
    const path = await program("exec yes");
    const run = { program: path, args: ["x"], directory, proxy: null, timeoutMs: 5_000, maxOutputBytes: 1e5 };
    await expect(runYtdlp({ ...run, signal, clock: systemClock })).rejects.toMatchObject({
      code: "media_too_large",
    });
  });

  test("complaints without an end end it", async () => {
    const path = await program("exec yes >&2");
    const run = {
      program: path,
      args: ["x"],
      directory,
      proxy: null,
      timeoutMs: 15_000,
      maxOutputBytes: 1e5,
    };
    await expect(runYtdlp({ ...run, signal, clock: systemClock })).rejects.toMatchObject({
      ...{ code: "media_too_large", say: { key: "ytdlp.no_answer" } },
    });
  });
});

describe("what it brings", () => {
  const source = { kind: "ytdlp", url: URL_ } as const;
  const brought = async (script: string): Promise<unknown> =>
    (await ytdlpOf(await program(script))).open(source, signal).catch((error: unknown) => error);

  test("the one file that it was asked for, and nothing else stays", async () => {
    const opened = (await brought("echo sound > audio; echo x > other; echo x > ../outside")) as {
      path: string;
    };
    expect(await readFile(opened.path, "utf8")).toBe("sound\n");
    expect(await readdir(join(directory, "files"))).toHaveLength(1);
    expect((await readdir(join(directory, "work"))).filter((name) => name.startsWith("run-"))).toEqual([]);
  });

  test("a second use brings nothing, and two at once bring it once", async () => {
    const sources = await ytdlpOf(
      await program(`echo run >> ${directory}/runs; sleep 0.1; echo sound > audio`),
    );
    expect(await sources.isHere(source)).toBe(false);
    await Promise.all([sources.open(source, signal), sources.open(source, signal)]);
    expect([await sources.isHere(source), await sources.isHere({ ...source, item: 2 })]).toEqual([
      true,
      false,
    ]);
    await sources.open(source, signal);
    expect(await readFile(join(directory, "runs"), "utf8")).toBe("run\n");
  });

  test.each([
    ["nothing", "true", "ytdlp.no_file"],
    ["a link", "ln -s /etc/passwd audio", "ytdlp.no_file"],
    ["a folder", "mkdir audio", "ytdlp.no_file"],
    ["too much", "head -c 2000 /dev/zero > audio", "play.too_large"],
  ])("%s is refused", async (_, script, key) => {
    expect(await brought(script)).toMatchObject({ say: { key } });
    expect(await readdir(join(directory, "files"))).toEqual([]);
  });
});

describe("its end", () => {
  /** Who has ended and waits for init to notice is gone. */
  const isAlive = (pid: number): Promise<boolean> =>
    readFile(`/proc/${pid}/stat`, "latin1").then(
      (stat) => !/\) [ZX]/.test(stat),
      () => false,
    );
  const clock = new FakeClock();
  const common = { args: ["x"], proxy: null, maxOutputBytes: 1e5, clock };

  /** Starts one that starts another, neither of which wants to end, and resolves with their ids. */
  async function stubborn(options: { timeoutMs: number; signal: AbortSignal }): Promise<{
    pids: () => Promise<number[]>;
    result: Promise<unknown>;
  }> {
    const path = await program(
      `trap "" TERM\n(trap "" TERM; echo $$ > pids; sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.05; done') &\nwait; while :; do sleep 0.05; done`,
    );
    const result = runYtdlp({ ...common, program: path, directory, ...options }).catch(
      (error: unknown) => error,
    );
    const pids = async (): Promise<number[]> =>
      (await readFile(join(directory, "pids"), "utf8").catch(() => ""))
        .split("\n")
        .filter(Boolean)
        .map(Number);
    while ((await pids()).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    return { pids, result };
  }

  test("when its time is over, with all that it started", async () => {
    const { pids, result } = await stubborn({ timeoutMs: 300, signal });
    await clock.advance(300);
    await clock.advance(1_000);
    expect(await result).toMatchObject({ code: "timeout", say: { key: "ytdlp.late" } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await Promise.all((await pids()).map(isAlive))).toEqual([false, false]);
  });

  test("when nobody wants it any more", async () => {
    const owner = new AbortController();
    const { pids, result } = await stubborn({ timeoutMs: 60_000, signal: owner.signal });
    owner.abort();
    await clock.advance(1_000);
    expect(await result).toMatchObject({ code: "cancelled" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await Promise.all((await pids()).map(isAlive))).toEqual([false, false]);
  });

  test("two run at a time, and who waits may go", async () => {
    const slots = new Slots(2);
    const leave = [await slots.enter(signal), await slots.enter(signal)];
    const owner = new AbortController();
    const gone = slots.enter(owner.signal).catch((error: unknown) => error);
    let isIn = false;
    const third = slots.enter(signal).then((out) => {
      isIn = true;
      return out;
    });
    owner.abort();
    expect(await gone).toMatchObject({ code: "cancelled" });
    expect(isIn).toBe(false);
    leave[0]?.();
    leave[0]?.();
    await third;
    expect(isIn).toBe(true);
  });

  test("of one person one at a time, whoever waits behind goes past", async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const enter = (of: string | null, name: string): Promise<() => void> =>
      slots.enter(signal, of).then((leave) => {
        order.push(name);
        return leave;
      });
    const leaveFirst = await enter("@slow:example.org", "first");
    const second = enter("@slow:example.org", "second");
    const leaveOther = await enter("@other:example.org", "other");
    const nobody = enter(null, "nobody");
    leaveOther();
    await nobody;
    expect(order).toEqual(["first", "other", "nobody"]);
    leaveFirst();
    (await second)();
    (await nobody)();
    // All that was taken is given back.
    await Promise.all([enter("@slow:example.org", "again"), enter(null, "and again")]);
    expect(order).toHaveLength(6);
  });
});

describe("whether it is there", () => {
  test("switched off, missing and broken are told, and how to come by it", async () => {
    await expect(play(await ytdlpOf("off"))).rejects.toMatchObject({ say: { key: "ytdlp.off" } });
    const broken = join(directory, "broken");
    await writeFile(broken, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    for (const path of [join(directory, "nowhere"), broken, "/dev/null"]) {
      const error = await play(await ytdlpOf(path)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "ytdlp_missing" });
      expect(render((error as BotError).say, "de").text).toContain("python3 -m pip install yt-dlp");
    }
  });

  test("how old it is stands in its version", () => {
    const now = Date.UTC(2026, 10, 23);
    expect(ageDays("2026.10.26", now)).toBe(28);
    expect(ageDays("2026.10.26.232842", now)).toBe(28);
    expect([ageDays("2026.12.24", now), ageDays("stable", now)]).toEqual([0, null]);
  });

  test("an old one says how to update it when something fails, a new one does not", () => {
    const complaint = `WARNING: [x] whatever
ERROR: [youtube] dQw4w9WgXcQ: Unable to extract player https://example.org/secret; please report this issue on  https://github.com/…`;
    const told = (age: number | null, text = complaint): string => {
      const found = { path: "yt-dlp", version: "2026.01.02", ageDays: age };
      const error = failureOf(text, { host: "youtube.com", program: found, refusal: null });
      return render(error.say, "en").text;
    };
    expect(told(3)).toBe("I could not get that from youtube.com: Unable to extract player");
    expect(told(100)).toContain("is 100 days old, which is often why");
    expect(told(100)).toContain("python3 -m pip install --upgrade yt-dlp");
    expect(told(null, "ERROR: Unsupported URL: https://a")).toBe(
      "I found nothing to play at that address of youtube.com.",
    );
  });

  test("what the guard refused is the reason, where that is why it failed", () => {
    const refusal = new BotError("fetch_refused", "x", {
      say: { key: "fetch.own_network", params: { host: "h" } },
    });
    const found = { path: "yt-dlp", version: "2026.01.02", ageDays: 100 };
    const of = (text: string): unknown => failureOf(text, { host: "h", program: found, refusal }).say.key;
    expect(of("ERROR: [generic] HTTP Error 403: Forbidden")).toBe("fetch.own_network");
    expect(of("ERROR: [generic] No such thing")).toBe("ytdlp.failed_old");
  });
});

describe("!search", () => {
  const found = answer({
    _type: "playlist",
    entries: [
      { _type: "url", url: "https://example.org/1", title: "One", duration: 61 },
      { _type: "url", url: "https://example.org/2", title: "Live", live_status: "is_live" },
      { _type: "url", url: "https://example.org/3", title: "Three" },
    ],
  });

  test("offers what it finds, with where", async () => {
    const { choices } = await (await ytdlpOf(await program(found))).search("some words", 5);
    expect(choices.map(({ label }) => label)).toEqual(["One (1:01) – YouTube", "Three – YouTube"]);
    expect(choices[1]?.found.source).toEqual({ kind: "ytdlp", url: "https://example.org/3" });
  });

  test("asks nobody where it is switched off or missing; its failure counts only where nothing else was found", async () => {
    const path = await program(`echo run >> ${directory}/runs; exit 1`);
    for (const sources of [
      await ytdlpOf(path, null),
      await ytdlpOf("off"),
      await ytdlpOf(join(directory, "no")),
    ])
      expect(await sources.search("x", 3)).toEqual({ choices: [], more: false });
    await expect(readFile(join(directory, "runs"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect((await ytdlpOf(path)).search("x", 3)).rejects.toMatchObject({ code: "fetch_failed" });
    expect(await (await ytdlpOf(path)).search("x", 0)).toEqual({ choices: [], more: false });
  });
});

test.each(["http://example.org/x", "https://user:password@example.org/x", "https://example.org:22/x"])(
  "%s is refused before anything runs",
  async (text) => {
    const sources = await ytdlpOf(await program(`touch ${directory}/ran`));
    await expect(play(sources, text)).rejects.toMatchObject({ code: "fetch_refused" });
    expect(await readdir(directory)).not.toContain("ran");
  },
);
