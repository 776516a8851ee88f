/**
 * `npm run image:check`: builds the Dockerfile without a daemon, looks at what came out, and runs the demo's steps against
 * the bot in it, confined as docs/DOCKER.md has it. Exit code 0 only if all of it was true.
 *
 *   --keep    leaves the image in the store, and the next run with it takes what is there
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Report } from "../demo/report.ts";
import { Curtain } from "../demo/stage.ts";
import { ensureBase } from "./image/base.ts";
import { build, cache, discard, hasImage, imageConfig, mountImage, stopPrograms } from "./image/buildah.ts";
import { checkConfig, checkContent, checkNative, checkSize } from "./image/content.ts";
import { checkLife } from "./image/life.ts";

const IMAGE = "localhost/matrix-voice-bot:check";
const ARM = "localhost/matrix-voice-bot-packages:arm64";
const keep = process.argv.includes("--keep");
const report = new Report();
const curtain = new Curtain();

for (const name of Object.keys(process.env)) if (name.startsWith("VOICEBOT_")) delete process.env[name];
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    stopPrograms();
    void curtain.fall().finally(() => process.exit(signal === "SIGINT" ? 130 : 143));
  });
}

/** Says how long it takes, since some of it takes minutes. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const beganMs = performance.now();
  report.title(title);
  const result = await work();
  report.say(`done in ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
  return result;
}

async function main(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("image:check makes mounts and changes users; it needs root.");
  await discard([]);
  await step("The base image, of packages", ensureBase);
  const wanted = !(keep && (await hasImage(IMAGE)));
  if (wanted) await step("The image; ffmpeg is compiled, that takes minutes", () => build({ tag: IMAGE }));
  await step("The packages for arm64", () =>
    build({ tag: ARM, target: "dependencies", buildArgs: { TARGETARCH: "arm64" } }),
  );

  report.title("What is in it");
  const arm = await mountImage(ARM);
  curtain.onFall(arm.unmount);
  checkNative(arm.folder, "arm64", report);
  const { folder, unmount } = await mountImage(IMAGE);
  curtain.onFall(unmount);
  const config = await imageConfig(IMAGE);
  checkConfig(config, report);
  await checkContent(folder, report);
  checkNative(folder, "x64", report);
  checkSize(folder, report);

  const run = mkdtempSync(join(tmpdir(), "voicebot-image-"));
  curtain.onFall(async () => rmSync(run, { recursive: true, force: true }));
  await checkLife({ image: { folder, config }, folder: run, report, curtain });
}

try {
  await main();
} catch (error) {
  report.failure("image:check", error);
}
report.table();
console.log("\n  Cleaning up …");
await curtain.fall();
await discard(keep ? [ARM] : [ARM, IMAGE]).catch(() => console.log(`  Something stays in ${cache}.`));
process.exit(report.allTrue ? 0 : 1);
