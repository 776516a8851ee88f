import { open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BotError } from "../base/errors.ts";
import { HomeserverError, type Homeserver } from "./homeserver.ts";

const FILE = "account.json";

const keptSchema = z.object({
  version: z.literal(1),
  homeserverUrl: z.string(),
  userId: z.string(),
  deviceId: z.string(),
  accessToken: z.string().min(1),
});

/** What a login gave. The token is a secret. */
export interface Login {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

/** Whose login is kept: that of another account, or of another homeserver, is never used. */
export interface LoginOwner {
  readonly homeserverUrl: string;
  readonly userId: string;
}

/** The login that `dataDir`/account.json has for this account; null when there is none, or it cannot be read. */
export async function keptLogin(dataDir: string, owner: LoginOwner): Promise<Login | null> {
  const text = await readFile(join(dataDir, FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "null";
    throw error;
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const kept = keptSchema.safeParse(json);
  if (!kept.success) return null;
  const { homeserverUrl, userId } = kept.data;
  return homeserverUrl === owner.homeserverUrl && userId === owner.userId ? kept.data : null;
}

/** Keeps a login in `dataDir` (which must exist), mode 600; a kill at any instant leaves the old or the new one. */
export async function keepLogin(dataDir: string, owner: LoginOwner, login: Login): Promise<void> {
  const path = join(dataDir, FILE);
  const part = `${path}.part`;
  await unlink(part).catch(() => undefined); // its mode would stay
  const file = await open(part, "wx", 0o600);
  try {
    const { deviceId, accessToken } = login;
    await file.writeFile(`${JSON.stringify({ version: 1, ...owner, deviceId, accessToken })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

const loginSchema = z.object({ user_id: z.string(), access_token: z.string().min(1), device_id: z.string() });

/**
 * Logs in with a password (spec "POST /login", m.login.password).
 * @param homeserver without a token
 * @param deviceId device to be again; null: a new one
 * @throws BotError `forbidden` when it will not become better by trying again, with what to do; else as `request` does
 */
export async function logIn(
  homeserver: Homeserver,
  { userId, password, deviceId }: { userId: string; password: string; deviceId: string | null },
  signal?: AbortSignal,
): Promise<Login> {
  const body = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password,
    initial_device_display_name: "matrix-voice-bot",
    ...(deviceId === null ? {} : { device_id: deviceId }),
  };
  try {
    const answer = await homeserver.request("POST", "/_matrix/client/v3/login", {
      body,
      ...(signal ? { signal } : {}),
    });
    const login = loginSchema.safeParse(answer);
    if (!login.success)
      throw new BotError("homeserver", "the answer to the login is not one of a homeserver");
    const { user_id, device_id, access_token } = login.data;
    return { userId: user_id, deviceId: device_id, accessToken: access_token };
  } catch (error) {
    throw explain(error, userId);
  }
}

function explain(error: unknown, userId: string): unknown {
  if (!(error instanceof HomeserverError) || error.retryable) return error;
  const why =
    error.errcode === "M_FORBIDDEN"
      ? "check VOICEBOT_USER_ID and VOICEBOT_PASSWORD"
      : error.errcode === "M_USER_DEACTIVATED"
        ? "the account is deactivated"
        : "it may not take passwords at all; then set VOICEBOT_ACCESS_TOKEN instead";
  return new BotError(
    "forbidden",
    `the homeserver refuses to log in ${userId}: ${why} (it says: ${error.message})`,
    { cause: error },
  );
}
