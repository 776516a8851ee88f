// Makes dist/ from src/: what `npx matrix-voice-bot` and the demo run. Part of `prepare` as well.
//
//   node scripts/build.js [--if-old]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");

/** By content, not by time: a checkout gives every file a new time. */
function sourceStamp() {
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const settings = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"].map((file) =>
    join(root, file),
  );
  const sum = createHash("sha256");
  for (const file of [...sources, ...settings]) {
    sum.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return sum.digest("hex");
}

export function distIsOld() {
  try {
    return readFileSync(join(dist, ".stamp"), "utf8") !== sourceStamp() || !existsSync(join(dist, "cli.js"));
  } catch {
    return true;
  }
}

/** Returns the exit code of the compiler. */
function build() {
  const stamp = sourceStamp();
  // Compiled next to it and then swapped: a bot that runs from dist/ may start another child at any time.
  const fresh = join(root, `dist.${process.pid}`);
  try {
    const args = [compiler, "-p", "tsconfig.build.json", "--outDir", fresh];
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    const cli = join(fresh, "cli.js");
    // With errors there is something to try, but it stays old.
    if (!existsSync(cli)) {
      console.error("src/cli.ts was not compiled; dist/ stays as it is.");
      return status || 1;
    }
    chmodSync(cli, 0o755);
    if (status === 0) writeFileSync(join(fresh, ".stamp"), stamp);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
    return status ?? 1;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.env["npm_lifecycle_event"] === "prepare" && !existsSync(compiler)) {
    console.log("Installed without development dependencies: dist/ stays as it is.");
  } else if (!process.argv.includes("--if-old") || distIsOld()) {
    process.exitCode = build();
  }
}
