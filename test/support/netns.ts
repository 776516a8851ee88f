// Networks of their own for tests: hosts are network namespaces, cables are veth pairs, NAT is iptables. Needs root,
// iproute2 and iptables. Nothing in them reaches the machine's own network, and addresses that look public are theirs alone.
import { spawnSync } from "node:child_process";
import { startProc, type Proc } from "./proc.ts";

const PREFIX = "vbtest";
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };

/** One end of a cable: the host and its address with prefix, e.g. `10.1.0.2/24`. */
export interface End {
  readonly host: string;
  readonly address: string;
}

/**
 * How a router maps: `cone` keeps the port of a sender whoever it sends to (what most homes have), `symmetric` takes another
 * one for each destination. Both let in only what was sent for.
 */
export type Nat = "cone" | "symmetric";

export class Networks {
  readonly #hosts = new Set<string>();
  readonly #procs: Proc[] = [];
  #cables = 0;

  /** @throws with what is missing: such a test fails, it is never passed over. */
  static create(): Networks {
    if (process.getuid?.() !== 0) throw new Error("Tests with networks of their own need root.");
    for (const [program, ...args] of [
      ["ip", "-V"],
      ["iptables", "-V"],
    ] as const) {
      const result = spawnSync(program, args, { env });
      if (result.error || result.status !== 0)
        throw new Error(`Tests with networks of their own need ${program}: run \`npm run setup\` as root.`);
    }
    removeOrphans();
    return new Networks();
  }

  /** The namespace of a host, made when it is first named. */
  host(name: string): string {
    const namespace = `${PREFIX}-${process.pid}-${name}`;
    if (!this.#hosts.has(namespace)) {
      run("ip", "netns", "add", namespace);
      this.#hosts.add(namespace);
      this.ip(name, "link", "set", "lo", "up");
    }
    return namespace;
  }

  /** `ip` on a host, e.g. `ip("home", "route", "add", "default", "via", "10.1.0.1")`. */
  ip(host: string, ...args: string[]): void {
    run("ip", "-n", this.host(host), ...args);
  }

  iptables(host: string, ...args: string[]): void {
    run("ip", "netns", "exec", this.host(host), "iptables", "-w", ...args);
  }

  /** Connects two hosts; the interfaces are called as the host at the other end. */
  cable(a: End, b: End): void {
    const number = ++this.#cables;
    const [left, right] = [`vb${number}l`, `vb${number}r`];
    run(
      "ip",
      "link",
      "add",
      left,
      "netns",
      this.host(a.host),
      "type",
      "veth",
      "peer",
      "name",
      right,
      "netns",
      this.host(b.host),
    );
    for (const [end, device, other] of [
      [a, left, b],
      [b, right, a],
    ] as const) {
      this.ip(end.host, "link", "set", device, "name", other.host);
      this.ip(end.host, "address", "add", end.address, "dev", other.host);
      this.ip(end.host, "link", "set", other.host, "up");
    }
  }

  /** Makes a host pass on what is not for it. */
  route(host: string): void {
    run("ip", "netns", "exec", this.host(host), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  }

  /** Makes `router` a NAT: what comes in from `outside` and was not sent for is dropped without a word, as homes do. */
  nat(router: string, outside: string, kind: Nat): void {
    this.route(router);
    const out = ["-t", "nat", "-A", "POSTROUTING", "-o", outside];
    if (kind === "symmetric")
      this.iptables(router, ...out, "-p", "udp", "-j", "MASQUERADE", "--random-fully");
    this.iptables(router, ...out, "-j", "MASQUERADE");
    const known = ["-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"];
    for (const chain of ["INPUT", "FORWARD"]) {
      this.iptables(router, "-A", chain, "-i", outside, ...known);
      this.iptables(router, "-A", chain, "-i", outside, "-j", "DROP");
    }
  }

  /** Starts a program on a host; it is stopped by `close` at the latest. */
  async start(host: string, name: string, command: string, args: readonly string[]): Promise<Proc> {
    const proc = await startProc({ name, command, args, netns: this.host(host) });
    this.#procs.push(proc);
    return proc;
  }

  /** Stops what was started and removes all hosts with their cables. Can be called again. */
  async close(): Promise<void> {
    await Promise.all(this.#procs.map((proc) => proc.stop(3000)));
    for (const host of this.#hosts) removeHost(host);
    this.#hosts.clear();
  }
}

/** Those of test runs that are no more. */
function removeOrphans(): void {
  const list = run("ip", "netns", "list");
  for (const [name, pid] of list.matchAll(new RegExp(`^${PREFIX}-(\\d+)-\\S+`, "gm"))) {
    try {
      process.kill(Number(pid), 0);
    } catch {
      removeHost(name);
    }
  }
}

function removeHost(namespace: string): void {
  run("ip", "netns", "delete", namespace);
}

function run(command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { env, encoding: "utf8", timeout: 10_000 });
  if (result.status === 0) return result.stdout;
  throw new Error(`${command} ${args.join(" ")}: ${result.stderr || String(result.error ?? result.status)}`);
}
