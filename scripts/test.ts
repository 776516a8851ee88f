// All checks; the last line is `N passed, N failed`. One after the other, but with four processors or more three things go
// on side by side after types and unit tests, most of whose time is waiting: the end-to-end tests, the contract and then the
// integration tests, and, with what they leave of the processor, the checks that only read. Last and by themselves the files
// that load or measure the machine.
//
//   npm test                            everything but the long tier
//   npm test -- types unit              some of them
//   npm run test:integration -- synapse what is no name of a step goes to jest
//
// A check counts as one. A tier counts its tests; one that was skipped counts as failed, and so does a tier without any.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, constants, setPriority } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { audit } from "./supply/audit.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
  /** What went wrong besides tests that failed. */
  readonly notes: readonly string[];
}

interface Step {
  readonly title: string;
  readonly byDefault: boolean;
  /** @param lane what it shares its time with */
  readonly run: (lane: Lane) => Promise<Count>;
}

/** Of the lanes of a phase each does its steps one after the other. */
interface Lane {
  readonly steps: readonly string[];
  /** Only with what others leave of the processor. */
  readonly quiet?: true;
  /** Of the tiers only the files in `alone`, or all but those; undefined: all. */
  readonly alone?: boolean;
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const results = join(root, ".cache", "test");
const compiled = join(root, ".cache", "node");
const minute = 60_000;
const markName = "MATRIX_VOICE_BOT_TEST_RUN";
const sources = ["src", "test", "demo", "bench", "scripts"].filter((folder) =>
  existsSync(join(root, folder)),
);

const children = new Set<ChildProcess>();
let stopped: NodeJS.Signals | null = null;

const bin = (name: string): string => join(root, "node_modules", ".bin", name);

/** A tool that says by its exit code whether all is well. */
function check(title: string, commands: readonly (readonly [string, ...string[]])[]): Step {
  const one = async ({ quiet }: Lane): Promise<Count> => {
    const notes: string[] = [];
    for (const [command, ...args] of commands) {
      const exit = await run(command, args, 5 * minute, { quiet: quiet === true });
      if (exit !== null)
        notes.push(`${[command.slice(command.lastIndexOf("/") + 1), ...args].join(" ")}: ${exit}`);
    }
    return { passed: notes.length === 0 ? 1 : 0, failed: notes.length === 0 ? 0 : 1, notes };
  };
  return { title, byDefault: true, run: one };
}

/** A tier of tests. `serial`: its tests use a homeserver, a browser, real time; one file after the other. */
function tier(name: string, serial: boolean, timeoutMs: number, byDefault = true): Step {
  const one = async ({ alone }: Lane): Promise<Count> => {
    const part = alone === true ? `${name}-alone` : name;
    const output = join(results, `${part}.json`);
    rmSync(output, { force: true });
    const args = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
    args.push(join(root, "node_modules", "jest", "bin", "jest.js"), "--ci", "--selectProjects", name);
    args.push(
      "--json",
      "--outputFile",
      output,
      ...(serial ? ["--runInBand"] : ["--maxWorkers=100%"]),
      ...filesOf(name, alone),
    );
    const mark = `${process.pid}-${part}`;
    const exit = await run(process.execPath, args, timeoutMs, {
      stdout: "ignore",
      // The programs that tests start by the hundred are compiled once. The long tier measures them as they ship.
      env: { [markName]: mark, ...(byDefault ? { NODE_COMPILE_CACHE: compiled } : {}) },
    });
    const count = countTests(output, exit);
    const left = await processesLeft(mark);
    if (left.length === 0) return count;
    return {
      ...count,
      failed: count.failed + 1,
      notes: [...count.notes, `left running: ${left.join(", ")}`],
    };
  };
  return { title: `${name} tests`, byDefault, run: one };
}

/** The arguments of jest that choose what of a tier is run. */
function filesOf(tier: string, only: boolean | undefined): readonly string[] {
  const files = (alone[tier] ?? []).map((file) => `test/${tier}/${file}\\.test`);
  if (only === true) return ["--testPathPatterns", ...files];
  return only === false && files.length > 0 ? ["--testPathIgnorePatterns", ...files] : patterns;
}

/**
 * What the tests of a tier started and did not stop, found by a mark in its environment (Linux only); it is killed
 * then. What is just about to end gets 3 s for it.
 */
async function processesLeft(mark: string): Promise<readonly string[]> {
  const marked = (): readonly string[] =>
    readdirOrNothing("/proc").filter(
      (pid) => /^\d+$/.test(pid) && readOrNothing(`/proc/${pid}/environ`).includes(`${markName}=${mark}\0`),
    );
  for (let tries = 0; tries < 30 && marked().length > 0; tries++) await sleep(100);
  return marked().map((pid) => {
    const command = readOrNothing(`/proc/${pid}/cmdline`).replaceAll("\0", " ").slice(0, 80);
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended in between.
    }
    return `${pid} ${command}`;
  });
}

function readdirOrNothing(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function countTests(path: string, exit: string | null): Count {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return { passed: 0, failed: 1, notes: [`no result: ${exit ?? "jest ran no test"}`] };
  }
  const notes: string[] = [];
  const skipped = report.numPendingTests + report.numTodoTests;
  let failed = report.numFailedTests + skipped;
  if (skipped > 0) notes.push(`${skipped} skipped`);
  if (report.numRuntimeErrorTestSuites > 0) {
    failed += report.numRuntimeErrorTestSuites;
    notes.push(`${report.numRuntimeErrorTestSuites} files could not be run`);
  }
  if (report.numTotalTests === 0) notes.push("no tests");
  // Also when a test run failed as a whole, or did not end by itself.
  if (exit !== null && report.numFailedTests + report.numRuntimeErrorTestSuites === 0) notes.push(exit);
  if (failed === 0 && notes.length > 0) failed = 1;
  return { passed: report.numPassedTests, failed, notes };
}

/** The part of jest's --json report that is used. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numTotalTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

const steps: Readonly<Record<string, Step>> = {
  types: check("types", [[bin("tsc")], [process.execPath, "scripts/build.js", "--if-old"]]),
  lint: check("lint", [[bin("oxlint"), "--type-aware", ...sources]]),
  format: check("format", [[bin("prettier"), "--check", "--log-level", "warn", "."]]),
  imports: check("import rules", [[bin("depcruise"), "--config", ".dependency-cruiser.cjs", ...sources]]),
  dependencies: check("unused dependencies", [
    [bin("knip"), "--no-config-hints"],
    [bin("knip"), "--production", "--no-config-hints"],
  ]),
  supply: check("SBOM, licences", [[process.execPath, "scripts/sbom.ts", ".cache/sbom.cdx.json"]]),
  audit: { title: "known vulnerabilities", byDefault: true, run: runAudit },
  unit: tier("unit", false, 3 * minute),
  contract: tier("contract", true, 10 * minute),
  integration: tier("integration", true, 10 * minute),
  e2e: tier("e2e", true, 15 * minute),
  long: tier("long", true, 120 * minute, false),
};

/** Where the registry does not answer audits, nothing failed and nothing passed; the summary says so. */
async function runAudit(): Promise<Count> {
  if (stopped) return { passed: 0, failed: 1, notes: [stopped] };
  const verdict = await audit(root);
  if (verdict.kind === "not_checked") {
    return { passed: 0, failed: 0, notes: [`NOT CHECKED: ${verdict.reason}`] };
  }
  for (const problem of verdict.problems) console.log(problem);
  const failed = verdict.problems.length === 0 ? 0 : 1;
  return { passed: 1 - failed, failed, notes: [] };
}

/** Null when it ended well, else how it ended. */
async function run(
  command: string,
  args: readonly string[],
  timeoutMs: number,
  options: {
    readonly stdout?: "ignore";
    readonly env?: Readonly<Record<string, string>>;
    readonly quiet?: boolean;
  } = {},
): Promise<string | null> {
  if (stopped) return stopped;
  return new Promise((resolve) => {
    const current = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", options.stdout ?? "inherit", "inherit"],
      env: { ...process.env, ...options.env },
    });
    children.add(current);
    if (options.quiet === true && current.pid !== undefined)
      setPriority(current.pid, constants.priority.PRIORITY_LOW);
    let timedOut = false;
    const kill = setTimeout(() => current.kill("SIGKILL"), timeoutMs + 10_000);
    const timer = setTimeout(() => {
      timedOut = true;
      current.kill("SIGTERM");
    }, timeoutMs);
    const settle = (outcome: string | null): void => {
      clearTimeout(timer);
      clearTimeout(kill);
      children.delete(current);
      resolve(timedOut ? `no end after ${timeoutMs / minute} minutes` : outcome);
    };
    current.once("error", (error) => settle(error.message));
    current.once("exit", (code, signal) => settle(code === 0 ? null : `exit ${code ?? signal}`));
  });
}

const words = process.argv.slice(2);
const chosen = words.filter((word) => Object.hasOwn(steps, word));
const patterns = words.filter((word) => !Object.hasOwn(steps, word));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    stopped = signal;
    for (const child of children) child.kill(signal);
  });
}

/** What needs all of the processor for a time, or measures what another's need would change. */
const alone: Readonly<Record<string, readonly string[]>> = {
  integration: ["hostile-peer", "engine-chromium", "media-deck", "media-formats", "media-ffmpeg", "loudness"],
  e2e: ["record"],
};

/** Phases follow one another. Without a choice everything of the default is in one of them once. */
const phases: readonly (readonly Lane[])[] = [
  [{ steps: ["types", "unit"] }],
  [
    { steps: ["e2e"], alone: false },
    { steps: ["contract", "integration"], alone: false },
    { steps: ["lint", "format", "imports", "dependencies", "supply", "audit"], quiet: true },
  ],
  [{ steps: Object.keys(alone), alone: true }],
];
/** What was chosen, and everything on two processors: there a test beside it is late, and sound has holes, now and then. */
const inTurn: readonly (readonly Lane[])[] = [[{ steps: Object.keys(steps) }]];
const MIN_PROCESSORS_SIDE_BY_SIDE = 4;

mkdirSync(results, { recursive: true });
const started = performance.now();
const summary: string[] = [];
let passed = 0;
let failed = 0;

const secondsSince = (ms: number): string => `${((performance.now() - ms) / 1000).toFixed(1).padStart(7)} s`;

async function runLane(lane: Lane): Promise<void> {
  for (const name of lane.steps) {
    const step = steps[name]!;
    if (chosen.length > 0 ? !chosen.includes(name) : !step.byDefault) continue;
    const title = lane.alone === true ? `${step.title}, alone` : step.title;
    console.log(`\n── ${title}`);
    const begun = performance.now();
    const count = await step.run(lane);
    passed += count.passed;
    failed += count.failed;
    const note = count.notes.length === 0 ? "" : `  (${count.notes.join("; ")})`;
    const figures = `${count.passed} passed, ${count.failed} failed${note}`;
    const line = `${title.padEnd(24)} ${secondsSince(begun)}  ${figures}`;
    summary.push(line);
    console.log(`── ${line}`);
  }
}

const isSideBySide = words.length === 0 && availableParallelism() >= MIN_PROCESSORS_SIDE_BY_SIDE;
for (const lanes of isSideBySide ? phases : inTurn) await Promise.all(lanes.map(runLane));
summary.push(`${"all".padEnd(24)} ${secondsSince(started)}`);
console.log(`\n${summary.join("\n")}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
