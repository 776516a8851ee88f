// The child of outside.ts: collects a suite with globals like Jest's, runs what it is asked for, leaves by itself.
import { expect } from "expect";
import type { FromSuite, ToSuite } from "./outside.ts";

type Work = (...args: never[]) => unknown;
interface Group {
  name: string;
  outer: Group | null;
  before: Work[];
  after: Work[];
  begun: Promise<void> | null;
}
interface Test {
  group: Group;
  name: string;
  limitMs: number | null;
  work: () => unknown;
}

const DEFAULT_LIMIT_MS = 30_000;
const tests: Test[] = [];
const groups: Group[] = [];
let group = begin("", null);

function begin(name: string, outer: Group | null): Group {
  const made: Group = { name, outer, before: [], after: [], begun: null };
  groups.push(made);
  return made;
}

function describe(name: string, declare: () => void): void {
  const outer = group;
  group = begin(outer.name === "" ? name : `${outer.name} ${name}`, outer);
  declare();
  group = outer;
}

function test(name: string, work: Work, limitMs: number | null = null): void {
  const title = group.name === "" ? name : `${group.name} ${name}`;
  tests.push({ group, name: title, limitMs, work: () => work() });
}

test.each =
  (rows: readonly unknown[]) =>
  (name: string, work: Work, limitMs: number | null = null): void => {
    for (const row of rows) {
      const values = Array.isArray(row) ? (row as unknown[]) : [row];
      test(
        name.replace("%s", String(values[0])),
        () => (work as (...args: unknown[]) => unknown)(...values),
        limitMs,
      );
    }
  };

Object.assign(globalThis, {
  ...{ describe, test, expect },
  beforeAll: (work: Work) => group.before.push(work),
  afterAll: (work: Work) => group.after.push(work),
});

async function inOrder(works: readonly Work[]): Promise<void> {
  for (const work of works) await work();
}

/** What comes before the tests of a group, once; what is around it first. */
function ready(group: Group): Promise<void> {
  group.begun ??= (async () => {
    if (group.outer) await ready(group.outer);
    await inOrder(group.before);
  })();
  return group.begun;
}

async function run({ group, work, limitMs }: Test): Promise<string | null> {
  const limit = limitMs ?? DEFAULT_LIMIT_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${limit} ms`)), limit);
  });
  try {
    await Promise.race([ready(group).then(work), late]);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function say(message: FromSuite): void {
  process.send?.(message);
}

process.on("disconnect", () => process.exit(1));
await import(process.argv[2]!);
process.on("message", (message: ToSuite) => {
  if (message === "end") {
    const begun = groups.filter((one) => one.begun !== null).toReversed();
    void inOrder(begun.flatMap(({ after }) => after)).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(String(error));
        process.exit(1);
      },
    );
    return;
  }
  const index = message.run;
  void run(tests[index]!).then((problem) => say({ kind: "ended", index, problem }));
});
say({ kind: "tests", tests: tests.map(({ name, limitMs }) => ({ name, limitMs })) });
