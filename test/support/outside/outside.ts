// Suites for what cannot be loaded in Jest: they run in a process of their own, and Jest shows each of their tests.
import { fork } from "node:child_process";

/** What the child says: its tests when it is there, then how each ended that it was asked for. */
export type FromSuite =
  | { kind: "tests"; tests: { name: string; limitMs: number | null }[] }
  | { kind: "ended"; index: number; problem: string | null };
/** What it is asked for: the test of that number, or its end. */
export type ToSuite = { run: number } | "end";

const START_MS = 20_000;
const END_MS = 10_000;
/** A test that hangs is told of by the child itself, before Jest's own limit. */
const DEFAULT_LIMIT_MS = 30_000;

/**
 * Declares every test of the suite (a module that uses `describe`, `test`, …) in the Jest file that awaits this.
 * @param atOnce they do not disturb each other: all of them begin with the first
 */
export async function declareOutside(suite: URL, { atOnce = false } = {}): Promise<void> {
  const child = fork(new URL("./suite-child.ts", import.meta.url), [suite.href], {
    env: { ...process.env, NODE_OPTIONS: "" },
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => (words = (words + chunk.toString("utf8")).slice(-4000)));
  const waiting = new Map<number, (problem: string | null) => void>();
  let gone = false;
  const listed = Promise.withResolvers<Extract<FromSuite, { kind: "tests" }>["tests"]>();
  const exited = new Promise<string>((resolve) =>
    child.once("close", (code, signal) => {
      gone = true;
      const how = `its process ended (${signal ?? code}): ${words}`;
      listed.reject(new Error(how));
      for (const end of waiting.values()) end(how);
      resolve(code === 0 ? "in order" : how);
    }),
  );
  child.on("message", (message: FromSuite) => {
    if (message.kind === "tests") listed.resolve(message.tests);
    else waiting.get(message.index)?.(message.problem);
  });
  const started = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const tests = await listed.promise;
  clearTimeout(started);

  const send = (message: ToSuite): void => void child.send(message);
  const running = new Map<number, Promise<string | null>>();
  const begin = (index: number): Promise<string | null> => {
    const known = running.get(index);
    if (known) return known;
    const work = new Promise<string | null>((resolve) => {
      waiting.set(index, resolve);
      send({ run: index });
    });
    running.set(index, work);
    return work;
  };
  for (const [index, { name, limitMs }] of tests.entries()) {
    test(
      name,
      async () => {
        if (gone) throw new Error(await exited);
        if (atOnce) for (const each of tests.keys()) void begin(each);
        const problem = await begin(index);
        if (problem !== null) throw new Error(problem);
      },
      (limitMs ?? DEFAULT_LIMIT_MS) + 5000,
    );
  }
  afterAll(async () => {
    const limit = setTimeout(() => child.kill("SIGKILL"), END_MS);
    if (!gone) send("end");
    expect(await exited).toBe("in order");
    clearTimeout(limit);
  }, END_MS + 5000);
}
