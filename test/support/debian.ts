// A fresh Debian 12 in a folder, made of packages, in which commands run as root (chroot, with mounts of their own).
import { execFile } from "node:child_process";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startProc, type Proc } from "./proc.ts";

const MINUTE = 60_000;
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** proc for what asks about processes; it goes with the namespace. */
const ENTER = `mount -t proc proc "$1/proc"; exec chroot "$1" /usr/bin/env -i -C "$2" "\${@:4}" /bin/bash --norc -euo pipefail -c "$3"`;

const run = promisify(execFile);

export class Debian {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  /**
   * Takes half a minute; needs root and debootstrap.
   * @param env for everything that runs in it, besides HOME, PATH and the like
   */
  static async make(env: Readonly<Record<string, string>>): Promise<Debian> {
    const folder = await mkdtemp(join(tmpdir(), "voicebot-debian-"));
    // Others than root live in it, too.
    await chmod(folder, 0o755);
    const debian = new Debian(folder, env);
    try {
      const args = ["--variant=minbase", "--include=ca-certificates", "bookworm", folder];
      await run("debootstrap", args, { timeout: 10 * MINUTE, maxBuffer: 16 << 20 });
      // How this machine reaches the registries, maybe through a mirror.
      for (const path of [CERTIFICATES, "/etc/resolv.conf", "/etc/hosts"]) {
        if (existsSync(path)) await cp(path, join(folder, path), { dereference: true });
      }
      return debian;
    } catch (error) {
      await debian.remove();
      throw error;
    }
  }

  /** Starts a script of bash, which ends at its first command that fails. @param cwd inside */
  async start(script: string, cwd: string): Promise<Proc> {
    const env = {
      ...{ HOME: "/root", PATH, LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" },
      ...(existsSync(CERTIFICATES) ? { NODE_EXTRA_CA_CERTS: CERTIFICATES } : {}),
      ...this.#env,
    };
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const args = ["--mount", "--", "/bin/bash", "-ec", ENTER, "_", this.folder, cwd, script, ...variables];
    return startProc({ name: script.split("\n")[0] ?? "", command: "unshare", args });
  }

  /** Runs a script to its end. @returns what it printed @throws with that when it fails, or does not end in time */
  async run(script: string, cwd: string, timeoutMs = 10 * MINUTE): Promise<string> {
    const proc = await this.start(script, cwd);
    const timer = setTimeout(() => proc.signal("SIGKILL"), timeoutMs);
    const { code, signal } = await proc.exited;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${script}\n\nended with ${code ?? signal}:\n${proc.output}`);
    return proc.output;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
