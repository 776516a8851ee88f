// A TURN server of its own for tests: coturn with time-limited credentials (use-auth-secret), as Synapse hands them out.
import { createHmac, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProc, type Proc } from "./proc.ts";

export interface CoturnOptions {
  /** Where it listens and relays. Default: 127.0.0.1 */
  readonly address?: string;
  /** Default: a free one of this machine. */
  readonly port?: number;
  /** Network namespace to run in. */
  readonly netns?: string;
  /** Shared with whoever makes credentials. Default: a new one. */
  readonly secret?: string;
  readonly args?: readonly string[];
}

export interface Coturn {
  readonly uri: string;
  readonly address: string;
  readonly port: number;
  readonly secret: string;
  readonly proc: Proc;
  /** User and password that are good for `ttlS` seconds. */
  credentials(ttlS?: number): { username: string; password: string };
  /** User names of the allocations that were made so far, in their order. */
  allocations(): string[];
  /** Bounded; can be called again. */
  stop(): Promise<void>;
}

const ADDRESS = "127.0.0.1";

/** Starts the server and waits until it listens. @throws when coturn is not installed. */
export async function startCoturn(options: CoturnOptions = {}): Promise<Coturn> {
  // Somebody else may take a free port before it does: then try another one.
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freeUdpPort(options.address ?? ADDRESS));
    try {
      return await startOn(port, options);
    } catch (error) {
      if (options.port !== undefined || attempt === 3) throw error;
    }
  }
}

async function startOn(port: number, options: CoturnOptions): Promise<Coturn> {
  const address = options.address ?? ADDRESS;
  const secret = options.secret ?? randomBytes(12).toString("hex");
  const dir = await mkdtemp(join(tmpdir(), "voicebot-turn-"));
  const proc = await startProc({
    name: "coturn",
    command: "turnserver",
    ...(options.netns === undefined ? {} : { netns: options.netns }),
    cwd: dir,
    args: [
      ...["-n", "-v", "--log-file=stdout", "--simple-log", `--pidfile=${join(dir, "pid")}`],
      ...[`--userdb=${join(dir, "db")}`, "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay"],
      ...[`--listening-ip=${address}`, `--listening-port=${port}`, `--relay-ip=${address}`],
      // Loopback is all that there is on this machine; coturn wants a password for an interface that is off.
      ...["--allow-loopback-peers", "--cli-password=unused", "--realm=voice.test", "--fingerprint"],
      ...["--use-auth-secret", `--static-auth-secret=${secret}`, ...(options.args ?? [])],
    ],
  });
  const stop = async (): Promise<void> => {
    await proc.stop(3000);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await proc.waitForLine(/UDP listener opened on/, 20_000);
    await proc.waitForLine(/IO method \(auth thread\)/, 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    uri: `turn:${address}:${port}?transport=udp`,
    address,
    port,
    secret,
    proc,
    credentials: (ttlS = 600) => {
      const username = `${Math.floor(Date.now() / 1000) + ttlS}:test`;
      return { username, password: createHmac("sha1", secret).update(username).digest("base64") };
    },
    allocations: () =>
      proc.lines.flatMap(
        ({ text }) => /user <([^>]*)>: incoming packet ALLOCATE processed, success/.exec(text)?.[1] ?? [],
      ),
    stop,
  };
}

async function freeUdpPort(address: string): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, address, resolve);
  });
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
