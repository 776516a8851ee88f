/** What `docker run` does with an image, by the kernel's means alone: its mounts, its user, none of its privileges. */
import type { ImageConfig } from "./buildah.ts";

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface ContainerOptions {
  /** The unpacked image. */
  readonly folder: string;
  readonly config: Pick<ImageConfig, "User" | "Env" | "Entrypoint" | "Cmd" | "WorkingDir">;
  readonly mounts: readonly Mount[];
}

/** Instead of a shell's quoting, which is easily wrong. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The argument list by which root starts the image as with `docker run --network host --read-only --tmpfs /tmp --cap-drop
 * ALL --security-opt no-new-privileges --ulimit nice=30 --env …`: mounts, processes and IPC of its own; the network is the machine's.
 * Its first process is the image's entrypoint; when the returned program dies, the kernel kills it.
 */
export function runArgs(
  options: ContainerOptions,
  env: Readonly<Record<string, string>>,
): [string, ...string[]] {
  const { config } = options;
  const flags = ["--mount", "--pid", "--ipc", "--fork", "--kill-child=KILL", "--propagation", "private"];
  const program = asUser(config, env, [...config.Entrypoint, ...config.Cmd]);
  // A machine that is a container itself may not raise it.
  const limit = "prlimit --pid $$ --nice=30 2>/dev/null || true";
  const script = [
    ...mountLines(options),
    limit,
    `exec chroot ${[options.folder, ...program].map(quote).join(" ")}`,
  ];
  return ["unshare", ...flags, "--", "sh", "-euc", script.join("\n")];
}

/** As `docker exec`: `command` in the container whose first process has this id on the machine. */
export function execArgs(
  config: ContainerOptions["config"],
  firstPid: number,
  command: readonly string[],
): [string, ...string[]] {
  const enter = ["--target", String(firstPid), "--mount", "--pid", "--ipc", "--root", "--wd"];
  return ["nsenter", ...enter, "--", ...asUser(config, {}, command)];
}

function mountLines({ folder, mounts }: ContainerOptions): string[] {
  const at = (path: string): string => quote(`${folder}${path}`);
  const devices = ["null 1 3", "zero 1 5", "full 1 7", "random 1 8", "urandom 1 9"];
  return [
    `mount --bind ${at("")} ${at("")}`,
    `mount -o remount,bind,ro,nodev ${at("")}`,
    `mount -t proc -o nosuid,nodev,noexec proc ${at("/proc")}`,
    `mount -t tmpfs -o size=64k,mode=755,nosuid,noexec tmpfs ${at("/dev")}`,
    ...devices.map((device) => {
      const [name = "", ...numbers] = device.split(" ");
      return `mknod -m 666 ${at(`/dev/${name}`)} c ${numbers.join(" ")}`;
    }),
    `ln -s /proc/self/fd ${at("/dev/fd")}`,
    `mount -o remount,ro ${at("/dev")}`,
    // As `--tmpfs /tmp` has it.
    `mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev,noexec tmpfs ${at("/tmp")}`,
    ...mounts.flatMap(({ source, target, readOnly }) => [
      `mount --bind ${quote(source)} ${at(target)}`,
      `mount -o remount,bind,nosuid,nodev,${readOnly ? "ro" : "rw"} ${at(target)}`,
    ]),
  ];
}

/** The environment is the image's and `env`, nothing of ours. */
function asUser(
  { User, Env, WorkingDir }: ContainerOptions["config"],
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const [uid = "", gid = ""] = User.split(":");
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const identity = ["--reuid", uid, "--regid", gid, "--clear-groups"];
  const powers = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"];
  return [
    "/usr/bin/env",
    "-i",
    "-C",
    WorkingDir,
    ...Env,
    ...own,
    "setpriv",
    ...identity,
    ...powers,
    "--",
    ...command,
  ];
}
