/** Builds images without a daemon: buildah with everything that it keeps under .cache/image. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

export const root = new URL("../../", import.meta.url).pathname;
export const cache = join(root, ".cache/image");
const minute = 60_000;

/** What a runtime takes of an image's configuration. */
const imageSchema = z.object({
  Docker: z.object({
    architecture: z.string(),
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      WorkingDir: z.string(),
      Volumes: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
      /** Durations in ns. */
      Healthcheck: z.object({ Test: z.array(z.string()), Timeout: z.number(), StartPeriod: z.number() }),
    }),
  }),
});
export type ImageConfig = z.infer<typeof imageSchema>["Docker"]["config"];

const running = new AbortController();

/** Ends the programs that run, for good: no other is started after it. */
export function stopPrograms(): void {
  running.abort();
}

/** Runs a program to its end. @returns its standard output. Rejects with the end of what it said. */
export async function execute(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  try {
    const options = {
      cwd: root,
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
      signal: running.signal,
    };
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const said = `${stdout}\n${stderr}`.trimEnd().split("\n").slice(-25).join("\n");
    throw new Error(`${command} ${args.slice(0, 12).join(" ")} failed:\n${said}`, { cause: error });
  }
}

/** One command of buildah. vfs: works wherever root does, also inside of a container. */
export async function buildah(args: readonly string[], timeoutMs = minute): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const storage = [
    "--storage-driver",
    "vfs",
    "--root",
    join(cache, "storage"),
    "--runroot",
    join(cache, "run"),
  ];
  return (await execute("buildah", [...storage, ...args], timeoutMs)).trim();
}

export async function hasImage(name: string): Promise<boolean> {
  return (await buildah(["images", "--format", "{{.Name}}:{{.Tag}}"])).split("\n").includes(name);
}

export interface BuildOptions {
  readonly tag: string;
  /** Stage to stop at; default: the last one. */
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
}

/** Builds the Dockerfile as it is, on the base image that is in the store. Takes minutes: ffmpeg is compiled. */
export async function build({ tag, target, buildArgs = {} }: BuildOptions): Promise<void> {
  const args = ["bud", "--isolation", "chroot", "--pull-never", "--format", "docker", "--tag", tag];
  args.push(...Object.entries(buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`));
  if (target !== undefined) args.push("--target", target);
  args.push("--ignorefile", join(root, ".dockerignore"), "--file", join(root, "Dockerfile"), root);
  await buildah(args, 30 * minute);
}

export async function imageConfig(tag: string): Promise<ImageConfig> {
  return imageSchema.parse(JSON.parse(await buildah(["inspect", "--type", "image", tag]))).Docker.config;
}

/** Unpacks an image. @returns the folder, until `unmount` */
export async function mountImage(tag: string): Promise<{ folder: string; unmount: () => Promise<void> }> {
  const container = await buildah(["from", "--pull-never", tag]);
  const folder = await buildah(["mount", container]);
  return { folder, unmount: async () => void (await buildah(["rm", container])) };
}

/** Removes images, and what was left of builds, also of those that were killed. The base image stays. */
export async function discard(tags: readonly string[]): Promise<void> {
  await buildah(["rm", "--all"]);
  for (const tag of tags) await buildah(["rmi", "--force", tag]).catch(() => {});
  await buildah(["rmi", "--prune", "--force"]).catch(() => {});
}
