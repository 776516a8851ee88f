// Set-up on a fresh machine, then the program that needs it. Plain JavaScript without dependencies: it is what
// runs before anything is installed, on any Node from 20. Every step looks first whether it is done already.
//
//   node scripts/bootstrap.js demo|test|long|image|unit|setup [arguments of the program]
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { delimiter, join } from "node:path";
import { distIsOld } from "./build.js";
import { withLock } from "./setup/lock.js";
import {
  cache,
  hash,
  minute,
  node,
  onPath,
  readJson,
  readText,
  root,
  SetupError,
  succeeds,
} from "./setup/look.js";
import { run, runStep, runTarget, startLog } from "./setup/run.js";

/** Programs of Python in a venv each: what they are called, their pinned packages, and a module to see that they are there. */
const venvs = {
  synapse: { name: "Synapse", requirements: "synapse-requirements.txt", module: "synapse" },
  ytdlp: { name: "yt-dlp", requirements: "ytdlp-requirements.txt", module: "yt_dlp" },
};

/** Debian packages by what they are needed for; `missing` looks for the thing itself, wherever it comes from. */
const packages = {
  python: { name: "python3", missing: () => onPath("python3") === null },
  venv: { name: "python3-venv", missing: () => !succeeds("python3", ["-c", "import venv, ensurepip"]) },
  ffmpeg: { name: "ffmpeg", missing: () => onPath("ffmpeg") === null || onPath("ffprobe") === null },
  chromium: { name: "chromium", missing: () => onPath("chromium") === null },
  // Tests of relays and of networks with NAT between them.
  coturn: { name: "coturn", missing: () => onPath("turnserver") === null },
  iproute2: { name: "iproute2", missing: () => inSbin("ip") === null },
  iptables: { name: "iptables", missing: () => inSbin("iptables") === null },
  // The container image, built and run without a daemon.
  buildah: { name: "buildah", missing: () => onPath("buildah") === null },
  debootstrap: { name: "debootstrap", missing: () => inSbin("debootstrap") === null },
};

/** Programs for root, which others do not have on their PATH. */
function inSbin(name) {
  return (
    onPath(name) ?? ["/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find(fs.existsSync) ?? null
  );
}

const testTools = ["ffmpeg", "chromium", "coturn", "iproute2", "iptables"];
const imageTools = ["buildah", "debootstrap"];
const targets = {
  demo: { needs: ["ffmpeg"], venvs: ["synapse"], build: true, run: ["demo/main.ts"] },
  test: { needs: testTools, venvs: ["synapse", "ytdlp"], build: false, run: ["scripts/test.ts"] },
  long: {
    needs: [...testTools, ...imageTools],
    venvs: ["synapse", "ytdlp"],
    build: false,
    run: ["scripts/test.ts", "long"],
  },
  image: {
    needs: ["ffmpeg", ...imageTools],
    venvs: ["synapse"],
    build: false,
    run: ["scripts/image-check.ts"],
  },
  unit: { needs: [], venvs: [], build: false, run: ["scripts/test.ts", "unit"] },
  setup: { needs: testTools, venvs: ["synapse", "ytdlp"], build: true, run: null },
};

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
      startLog();
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
  const wanted = target.venvs.filter((key) => !venvIsReady(key));
  const needs = [...(wanted.length > 0 ? ["python", "venv"] : []), ...target.needs];
  const missing = needs.map((need) => packages[need]).filter((item) => item.missing());
  if (missing.length > 0) {
    const names = missing.map((item) => item.name);
    mayInstall(names); // Before anything else, so that nothing is left half done.
    steps.push({ title: `Debian packages: ${names.join(", ")}`, run: () => installPackages(missing) });
  }
  if (!modulesAreReady()) steps.push({ title: "npm packages", run: installModules });
  for (const key of wanted)
    steps.push({ title: `${venvs[key].name}, in .cache/${key}`, run: () => installVenv(key) });
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
  // Optional for who runs the bot; the tests need our own ones. What those bring for other processors may be missing.
  const own = new Set(
    Object.keys(wanted[""]?.optionalDependencies ?? {}).map((name) => `node_modules/${name}`),
  );
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/")) continue;
    const there = installed[path];
    const maybe = (entry.optional || entry.peer) && !own.has(path);
    if (there ? there.version !== entry.version : !maybe) return false;
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

// --- Python: Synapse, yt-dlp

const venvOf = (key) => join(cache, key, "venv");
const requirementsOf = (key) => join(root, "scripts", venvs[key].requirements);

function venvStamp(key) {
  return `${hash([requirementsOf(key)])} ${venvOf(key)}`;
}

function venvIsReady(key) {
  return (
    readText(join(cache, key, "stamp")) === venvStamp(key) &&
    succeeds(join(venvOf(key), "bin", "python"), ["-c", `import ${venvs[key].module}`])
  );
}

async function installVenv(key) {
  const venv = venvOf(key);
  fs.rmSync(join(cache, key), { recursive: true, force: true });
  fs.mkdirSync(join(cache, key), { recursive: true });
  await run("python3", ["-m", "venv", venv], { timeoutMs: 2 * minute });
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--retries", "5"];
  const what = ["--no-deps", "--only-binary", ":all:", "-r", requirementsOf(key)];
  await run(join(venv, "bin", "python"), [...pip, ...what], { timeoutMs: 10 * minute, attempts: 3 });
  fs.writeFileSync(join(cache, key, "stamp"), venvStamp(key));
}

// --- dist/

async function build() {
  await run(node, ["scripts/build.js"], { timeoutMs: 5 * minute });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof SetupError ? `\n${error.message}` : error);
  process.exitCode = 1;
}
