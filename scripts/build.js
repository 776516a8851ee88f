// Makes dist/ anew from src/: what `npx matrix-voice-bot` and the demo run. Part of `prepare` as well.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
if (process.env["npm_lifecycle_event"] === "prepare" && !existsSync(compiler)) {
  console.log("Installed without development dependencies: dist/ stays as it is.");
  process.exit(0);
}
rmSync(join(root, "dist"), { recursive: true, force: true });
const result = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
const cli = join(root, "dist", "cli.js");
if (existsSync(cli)) chmodSync(cli, 0o755);
process.exitCode = result.status ?? 1;
