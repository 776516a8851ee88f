// Set-up on a fresh machine, then the program that needs it. Plain JavaScript without dependencies: it is what
// runs before anything is installed, on any Node from 20. Every step looks first whether it is done already.
//
//   node scripts/bootstrap.js demo|test|unit|setup [arguments of the program]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { distIsOld } from "./build.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, ".cache");
const logPath = join(cache, "setup.log");
const lockPath = join(cache, "setup.lock");
const venv = join(cache, "synapse", "venv");
const node = join(root, "node_modules", ".bin", "node");
const minute = 60_000;

/** Debian packages by what they are needed for; `missing` looks for the thing itself, wherever it comes from. */
const packages = {
  python: { name: "python3", missing: () => onPath("python3") === null },
  venv: { name: "python3-venv", missing: () => !succeeds("python3", ["-c", "import venv, ensurepip"]) },
  ffmpeg: { name: "ffmpeg", missing: () => onPath("ffmpeg") === null || onPath("ffprobe") === null },
  chromium: { name: "chromium", missing: () => onPath("chromium") === null },
};

const targets = {
  demo: { needs: ["ffmpeg"], synapse: true, build: true, run: ["demo/main.ts"] },
  test: { needs: ["ffmpeg", "chromium"], synapse: true, build: false, run: ["scripts/test.ts"] },
  unit: { needs: [], synapse: false, build: false, run: ["scripts/test.ts", "unit"] },
  setup: { needs: ["ffmpeg", "chromium"], synapse: true, build: true, run: null },
};

/** The one child that runs now. */
let child = null;
let stopping = false;

class SetupError extends Error {}

async function main() {
  const [name = "", ...args] = process.argv.slice(2);
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (!target) throw new SetupError(`Usage: node scripts/bootstrap.js ${Object.keys(targets).join("|")}`);
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20)
    throw new SetupError(`Node ${process.versions.node} is too old; Node 20 or newer is needed.`);

  fs.mkdirSync(cache, { recursive: true });
  const steps = pendingSteps(target);
  if (steps.length > 0) {
    await withLock(async () => {
      // Another set-up may have done it while we waited.
      const left = pendingSteps(target);
      for (const [index, step] of left.entries()) {
        await runStep(`[${index + 1}/${left.length}] ${step.title}`, step.run);
      }
    });
  }
  if (target.run === null) {
    console.log("Everything is set up.");
    return 0;
  }
  return runTarget([...target.run, ...args]);
}

function pendingSteps(target) {
  const steps = [];
  const needs = [...(target.synapse && !synapseIsReady() ? ["python", "venv"] : []), ...target.needs];
  const missing = needs.map((need) => packages[need]).filter((item) => item.missing());
  if (missing.length > 0) {
    const names = missing.map((item) => item.name);
    mayInstall(names); // Before anything else, so that nothing is left half done.
    steps.push({ title: `Debian packages: ${names.join(", ")}`, run: () => installPackages(missing) });
  }
  if (!modulesAreReady()) steps.push({ title: "npm packages", run: installModules });
  if (target.synapse && !synapseIsReady()) {
    steps.push({ title: "Synapse, in .cache/synapse", run: installSynapse });
  }
  if (target.build && distIsOld()) steps.push({ title: "dist/", run: build });
  return steps;
}

// --- Debian packages

function mayInstall(names) {
  const command = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  const please = `Missing on this machine: ${names.join(", ")}. Please install as root and start again:\n\n    ${command}\n`;
  if (onPath("apt-get") === null)
    throw new SetupError(please.replace("Please install", "This is not Debian; install their like"));
  if (process.getuid?.() !== 0) throw new SetupError(please);
}

async function installPackages(missing) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"];
  const names = missing.map((item) => item.name);
  await run("apt-get", [...options, "update"], { env, timeoutMs: 5 * minute, attempts: 2 });
  const install = ["install", "-y", "--no-install-recommends", ...names];
  await run("apt-get", [...options, ...install], { env, timeoutMs: 20 * minute, attempts: 2 });
  const still = missing.filter((item) => item.missing()).map((item) => item.name);
  if (still.length > 0) throw new SetupError(`Installed, and still not usable: ${still.join(", ")}`);
}

// --- npm packages

/** Compares what npm says it installed with the lock file, so that a changed lock or a broken install is seen. */
function modulesAreReady() {
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  const installed = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!wanted || !installed || !nodeWorks()) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/")) continue;
    const there = installed[path];
    if (there ? there.version !== entry.version : !(entry.optional || entry.peer)) return false;
  }
  return true;
}

function nodeWorks() {
  const wanted = readJson(join(root, "node_modules", "node", "package.json"))?.version;
  const result = spawnSync(node, ["--version"], { encoding: "utf8" });
  return wanted !== undefined && result.status === 0 && result.stdout.trim() === `v${wanted}`;
}

async function installModules() {
  // npm must not run on the Node inside of the folder that it is about to replace.
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((part) => !part.endsWith("node_modules/.bin"));
  const env = { PATH: path.join(delimiter) };
  const npm = (args, timeoutMs) => run("npm", args, { env, timeoutMs, attempts: 2 });
  // Only the one install script that is needed, whatever npm's version and settings: the one of `node`, which puts
  // the Node binary in place. `prepare` is not wanted here either: the build is a step of its own.
  await npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "http"], 10 * minute);
  await npm(["rebuild", "node", "--ignore-scripts=false"], 5 * minute);
  if (!nodeWorks())
    throw new SetupError("npm installed everything, and node_modules/.bin/node does not run.");
}

// --- Synapse

function synapseStamp() {
  return `${hash([join(root, "scripts", "synapse-requirements.txt")])} ${venv}`;
}

function synapseIsReady() {
  return (
    readText(join(cache, "synapse", "stamp")) === synapseStamp() &&
    succeeds(join(venv, "bin", "python"), ["-c", "import synapse"])
  );
}

async function installSynapse() {
  const requirements = join(root, "scripts", "synapse-requirements.txt");
  fs.rmSync(join(cache, "synapse"), { recursive: true, force: true });
  fs.mkdirSync(join(cache, "synapse"), { recursive: true });
  await run("python3", ["-m", "venv", venv], { timeoutMs: 2 * minute });
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--retries", "5"];
  const what = ["--no-deps", "--only-binary", ":all:", "-r", requirements];
  await run(join(venv, "bin", "python"), [...pip, ...what], { timeoutMs: 10 * minute, attempts: 3 });
  fs.writeFileSync(join(cache, "synapse", "stamp"), synapseStamp());
}

// --- dist/

async function build() {
  await run(node, ["scripts/build.js"], { timeoutMs: 5 * minute });
}

// --- running things

/** Runs with a line that tells how it goes; whatever the commands print goes to the log. */
async function runStep(title, step) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  console.log(`${title} …`);
  const progress = setInterval(() => console.log(`    ${seconds()}: ${lastLogLine()}`), 10_000);
  try {
    await step();
    console.log(`    done in ${seconds()}`);
  } finally {
    clearInterval(progress);
  }
}

async function run(command, args, { env = {}, timeoutMs, attempts = 1 }) {
  for (let attempt = 1; ; attempt++) {
    const outcome = await runOnce(command, args, env, timeoutMs);
    if (outcome === null) return;
    if (stopping) throw new SetupError("Stopped.");
    const failure = `${command} ${args.join(" ")}\nfailed: ${outcome}. The end of what it said:\n\n${logTail()}\n\nAll of it: ${logPath}`;
    if (attempt === attempts) throw new SetupError(failure);
    console.log(`    failed (${outcome}), trying again`);
    await new Promise((resolve) => setTimeout(resolve, 3000 * attempt));
  }
}

/** Null when all went well, else what did not. */
function runOnce(command, args, env, timeoutMs) {
  const log = fs.openSync(logPath, "a");
  fs.writeSync(log, `\n$ ${command} ${args.join(" ")}\n`);
  return new Promise((resolve) => {
    let timedOut = false;
    // A group of its own: npm, apt and pip start others, and all of them have to go when they are stopped.
    const current = spawn(...dyingWithUs("KILL", command, args), {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log],
      detached: true,
    });
    child = current;
    const timer = setTimeout(() => {
      timedOut = true;
      signalGroup(current, "SIGKILL");
    }, timeoutMs);
    const settle = (outcome) => {
      clearTimeout(timer);
      fs.closeSync(log);
      child = null;
      resolve(outcome);
    };
    current.once("error", (error) => settle(error.message));
    current.once("exit", (code, signal) => {
      if (timedOut) settle(`no end after ${timeoutMs / minute} minutes`);
      else settle(code === 0 ? null : `exit ${code ?? signal}`);
    });
  });
}

/** The program itself, on the Node of the lock file; resolves with its exit code. */
function runTarget(args) {
  // In a group of its own, so that Ctrl-C reaches it once (from here) and not three times (terminal, npm, here).
  const path = [dirname(node), process.env["PATH"] ?? ""].join(delimiter);
  return new Promise((resolve, reject) => {
    child = spawn(...dyingWithUs("TERM", node, args), {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, PATH: path },
    });
    child.stopsItsOwn = true;
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      child = null;
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}

/** What to spawn so that the kernel sends `signal` should this process be killed (where there is setpriv: Linux). */
function dyingWithUs(signal, command, args) {
  const setpriv = onPath("setpriv");
  return setpriv === null ? [command, args] : [setpriv, ["--pdeathsig", signal, "--", command, ...args]];
}

function signalGroup(target, signal) {
  try {
    process.kill(-target.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Passes a signal on once; the second one, later than a bounce (terminal and npm both send it), kills. */
let firstSignalAt = 0;
function onSignal(signal) {
  const now = Date.now();
  if (stopping && now - firstSignalAt < 1000) return;
  const kill = stopping;
  stopping = true;
  if (!kill) firstSignalAt = now;
  if (child === null) {
    unlock();
    process.exit(130);
  }
  // The program stops its children itself and in order; what the set-up runs is stopped as a group.
  if (child.stopsItsOwn && !kill) child.kill(signal);
  else signalGroup(child, kill ? "SIGKILL" : signal);
}

// --- the lock: one set-up at a time in one folder

let locked = false;

async function withLock(work) {
  const deadline = Date.now() + 30 * minute;
  let told = false;
  while (!tryLock()) {
    const owner = Number(readText(lockPath));
    if (!isSetup(owner)) {
      // Left behind by one that was killed. Two may see that at once: the rename lets only one of them win.
      const stale = `${lockPath}.${process.pid}`;
      try {
        fs.renameSync(lockPath, stale);
        const moved = Number(readText(stale));
        if (moved !== owner && isSetup(moved)) fs.linkSync(stale, lockPath); // It was a fresh one: put it back.
        fs.rmSync(stale, { force: true });
      } catch {
        // Somebody else was quicker.
      }
      continue;
    }
    if (Date.now() > deadline) throw new SetupError(`Another set-up (process ${owner}) does not end.`);
    if (!told) console.log(`Another set-up is at work here (process ${owner}); waiting for it.`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  try {
    await work();
  } finally {
    unlock();
  }
}

function tryLock() {
  // Written first and linked then, so that nobody ever reads a lock without its owner.
  const own = `${lockPath}.${process.pid}.new`;
  fs.writeFileSync(own, String(process.pid));
  try {
    fs.linkSync(own, lockPath);
    locked = true;
    fs.writeFileSync(logPath, "");
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(own, { force: true });
  }
}

function unlock() {
  if (locked) fs.rmSync(lockPath, { force: true });
  locked = false;
}

function isSetup(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return false;
  }
  // A process id is used again; where the kernel tells, look whose it is now.
  const command = readText(`/proc/${pid}/cmdline`);
  return command === null || command.includes("bootstrap.js");
}

// --- small things

function onPath(name) {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      fs.accessSync(path, fs.constants.X_OK);
      return path;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore", timeout: minute }).status === 0;
}

function readText(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function readJson(path) {
  const text = readText(path);
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function hash(files) {
  const sum = createHash("sha256");
  for (const file of files)
    sum
      .update(file.slice(root.length))
      .update("\0")
      .update(readText(file) ?? "")
      .update("\0");
  return sum.digest("hex");
}

function logTail() {
  return (readText(logPath) ?? "").trimEnd().split("\n").slice(-20).join("\n");
}

function lastLogLine() {
  const line =
    (readText(logPath) ?? "")
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1) ?? "";
  return line.trim().slice(0, 100);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => onSignal(signal));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? `\n${error.message}` : error);
  process.exitCode = 1;
}
