// Runs what the set-up needs, and the program after it: with a log, a bound, and one way to stop.
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { unlock } from "./lock.js";
import { cache, minute, node, onPath, readText, root, SetupError } from "./look.js";

const logPath = join(cache, "setup.log");

/** The one child that runs now. */
let child = null;
let stopping = false;

export function startLog() {
  fs.writeFileSync(logPath, "");
}

/** Runs with a line that tells how it goes; whatever the commands print goes to the log. */
export async function runStep(title, step) {
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

export async function run(command, args, { env = {}, timeoutMs, attempts = 1 }) {
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
export function runTarget(args) {
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
