// A real homeserver for tests and for the demo: Synapse on SQLite, on 127.0.0.1, from the venv that
// scripts/bootstrap.js makes. Rate limits are Synapse's own defaults unless told otherwise.
import { createHmac, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { matrixRequest, type Session } from "./matrix-http.ts";
import { startProc, type Proc } from "./proc.ts";

export interface SynapseOptions {
  /** Where database, media and log live. A folder that was used before is used again. Default: temporary. */
  readonly dir?: string;
  /** Default: voice.test */
  readonly serverName?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** `default`: what Synapse ships with. `off`: for suites that are not about limits. */
  readonly rateLimits?: "default" | "off";
  /** As in the configuration of Synapse, e.g. `1M`. Default 50M. */
  readonly maxUploadSize?: string;
  /** Merged over the configuration, key by key on the top level. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A user as `createUser` returns it; `password` lets a person log in by hand. */
export interface SynapseUser extends Session {
  readonly deviceId: string;
  readonly password: string;
}

export interface Synapse {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly serverName: string;
  readonly registrationSecret: string;
  readonly pid: number;
  readonly dir: string;
  readonly logPath: string;
  createUser(name: string, options?: CreateUserOptions): Promise<SynapseUser>;
  /** Lifts all per-user limits (messages, joins, room creation, invitations sent) from a user. */
  exemptFromLimits(userId: string): Promise<void>;
  /** A call to the admin API by an admin user of the harness. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Bounded; can be called again. Removes the folder if it was a temporary one. */
  stop(): Promise<void>;
}

export interface CreateUserOptions {
  readonly admin?: boolean;
  readonly displayName?: string;
  readonly password?: string;
  /** Short for a following `exemptFromLimits`. */
  readonly exempt?: boolean;
}

const readyWithinMs = 60_000;
const root = new URL("../../", import.meta.url).pathname;
const python = join(root, ".cache/synapse/venv/bin/python");

// The thread ends the homeserver when our end of its stdin closes: also when this process was killed.
const launcher = `
import os, sys, threading
def follow_parent():
    while os.read(0, 4096): pass
    os._exit(0)
threading.Thread(target=follow_parent, daemon=True).start()
from synapse.app.homeserver import main
main()
`;

const noLimit = { per_second: 100_000, burst_count: 100_000 };
const limitsOff = {
  rc_message: noLimit,
  rc_registration: noLimit,
  rc_login: { address: noLimit, account: noLimit, failed_attempts: noLimit },
  rc_joins: { local: noLimit, remote: noLimit },
  rc_joins_per_room: noLimit,
  rc_room_creation: noLimit,
  rc_invites: { per_room: noLimit, per_user: noLimit, per_issuer: noLimit },
  rc_media_create: noLimit,
};

/** Starts a homeserver and waits until it answers (about 1.5 s). */
export async function startSynapse(options: SynapseOptions = {}): Promise<Synapse> {
  if (!existsSync(python)) throw new Error("There is no Synapse yet: run `npm run setup` first.");
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "voicebot-synapse-")));
  const serverName = options.serverName ?? "voice.test";
  await mkdir(dir, { recursive: true });
  const secrets = await readSecrets(dir);
  // Someone else may take a free port before Synapse does: then try another one.
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const baseUrl = `http://127.0.0.1:${port}`;
    await writeConfig(dir, serverName, port, secrets, options);
    const proc = await startProc({
      name: "Synapse",
      command: python,
      args: ["-c", launcher, "-c", join(dir, "homeserver.yaml")],
      cwd: dir,
    });
    if (await answers(proc, baseUrl))
      return running(proc, baseUrl, dir, serverName, secrets.registration, options);
    await proc.stop(2000);
    const taken = /address already in use|Couldn't listen on/i.test(proc.output);
    if (!taken || options.port !== undefined || attempt === 3) {
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
      throw new Error(`Synapse did not start:\n${proc.output}`);
    }
  }
}

function running(
  proc: Proc,
  baseUrl: string,
  dir: string,
  serverName: string,
  registrationSecret: string,
  options: SynapseOptions,
): Synapse {
  const base = { baseUrl, accessToken: null };
  let admin: Promise<SynapseUser> | null = null;

  const createUser = async (name: string, user: CreateUserOptions = {}): Promise<SynapseUser> => {
    const path = "/_synapse/admin/v1/register";
    const { nonce } = (await matrixRequest(base, "GET", path)) as { nonce: string };
    const password = user.password ?? randomBytes(9).toString("base64url");
    const mac = createHmac("sha1", registrationSecret)
      .update([nonce, name, password, user.admin === true ? "admin" : "notadmin"].join("\0"))
      .digest("hex");
    const answer = (await matrixRequest(base, "POST", path, {
      nonce,
      username: name,
      password,
      mac,
      admin: user.admin === true,
      displayname: user.displayName ?? name,
    })) as { user_id: string; access_token: string; device_id: string };
    const { user_id: userId, access_token: accessToken, device_id: deviceId } = answer;
    if (user.exempt === true) await exemptFromLimits(userId);
    return { baseUrl, userId, accessToken, deviceId, password };
  };
  const adminCall = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    admin ??= createUser(`harness-${randomBytes(4).toString("hex")}`, { admin: true });
    return matrixRequest(await admin, method, path, body);
  };
  const exemptFromLimits = async (userId: string): Promise<void> => {
    const path = `/_synapse/admin/v1/users/${encodeURIComponent(userId)}/override_ratelimit`;
    await adminCall("POST", path, { messages_per_second: 0, burst_count: 0 });
  };
  return {
    baseUrl,
    serverName,
    registrationSecret,
    pid: proc.pid,
    dir,
    logPath: join(dir, "homeserver.log"),
    createUser,
    exemptFromLimits,
    admin: adminCall,
    stop: async () => {
      await proc.stop(5000);
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** False when the process ended or did not answer in time. */
async function answers(proc: Proc, baseUrl: string): Promise<boolean> {
  const deadline = performance.now() + readyWithinMs;
  while (proc.exit === null && performance.now() < deadline) {
    try {
      const response = await fetch(`${baseUrl}/_matrix/client/versions`, {
        signal: AbortSignal.timeout(2000),
      });
      await response.body?.cancel();
      // Whoever took the port before us may answer as well; Synapse then ends.
      if (response.ok && proc.exit === null) return true;
    } catch {
      await sleep(50);
    }
  }
  return false;
}

interface Secrets {
  readonly registration: string;
  readonly macaroon: string;
  readonly form: string;
  readonly signingKey: string;
}

/** Kept in the folder, so that tokens stay good when a homeserver is started on it again. */
async function readSecrets(dir: string): Promise<Secrets> {
  const path = join(dir, "secrets.json");
  if (existsSync(path)) return JSON.parse(await readFile(path, "utf8")) as Secrets;
  const secret = (): string => randomBytes(24).toString("base64url");
  const seed = randomBytes(32).toString("base64").replaceAll("=", "");
  const secrets = {
    registration: secret(),
    macaroon: secret(),
    form: secret(),
    signingKey: `ed25519 a_test ${seed}`,
  };
  await writeFile(path, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}

async function writeConfig(
  dir: string,
  serverName: string,
  port: number,
  secrets: Secrets,
  options: SynapseOptions,
): Promise<void> {
  // JSON is YAML.
  const config = {
    server_name: serverName,
    public_baseurl: `http://127.0.0.1:${port}/`,
    pid_file: join(dir, "homeserver.pid"),
    listeners: [
      {
        port,
        type: "http",
        tls: false,
        bind_addresses: ["127.0.0.1"],
        resources: [{ names: ["client", "media"], compress: false }],
      },
    ],
    database: { name: "sqlite3", args: { database: join(dir, "homeserver.db") } },
    log_config: join(dir, "log.yaml"),
    media_store_path: join(dir, "media"),
    signing_key_path: join(dir, "signing.key"),
    registration_shared_secret: secrets.registration,
    macaroon_secret_key: secrets.macaroon,
    form_secret: secrets.form,
    bcrypt_rounds: 4, // Quick; the passwords guard nothing.
    max_upload_size: options.maxUploadSize ?? "50M",
    // Nothing leaves this machine.
    trusted_key_servers: [],
    federation_domain_whitelist: [],
    report_stats: false,
    url_preview_enabled: false,
    presence: { enabled: false },
    ...(options.rateLimits === "off" ? limitsOff : {}),
    ...options.config,
  };
  const log = {
    version: 1,
    formatters: { plain: { format: "%(asctime)s %(levelname)s %(name)s %(message)s" } },
    handlers: {
      file: {
        class: "logging.handlers.RotatingFileHandler",
        formatter: "plain",
        filename: join(dir, "homeserver.log"),
        maxBytes: 10_000_000,
        backupCount: 1,
        encoding: "utf8",
      },
    },
    root: { level: "INFO", handlers: ["file"] },
    disable_existing_loggers: false,
  };
  await writeFile(join(dir, "homeserver.yaml"), JSON.stringify(config, null, 2), { mode: 0o600 });
  await writeFile(join(dir, "log.yaml"), JSON.stringify(log, null, 2));
  await writeFile(join(dir, "signing.key"), `${secrets.signingKey}\n`, { mode: 0o600 });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}
