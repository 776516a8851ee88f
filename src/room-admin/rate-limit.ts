// Synapse's admin API for what an account may send, with an administrator's token.
import { z } from "zod";
import { BotError } from "../base/errors.ts";
import { apiPath, HomeserverError, type Homeserver, type RequestOptions } from "../matrix/homeserver.ts";

/** An override of 0 and 0 is none at all; without an override there are no fields. */
const overrideSchema = z.object({
  messages_per_second: z.number().nullish(),
  burst_count: z.number().nullish(),
});

type Bounds = Pick<RequestOptions, "signal">;

const EXEMPT = { messages_per_second: 0, burst_count: 0 } as const;

/** The call that exempts an account, to be made by an administrator. For people to read. */
export function exemptionCall(userId: string): string {
  return `POST ${pathFor(userId)} ${JSON.stringify(EXEMPT)}`;
}

/**
 * Whether the homeserver exempts an account from its rate limits.
 * @param admin with an administrator's token
 * @throws BotError with a message that says what to do: `forbidden` (no administrator), `not_found` (no such API, or no
 * such account), others as `Homeserver.request`
 */
export async function isExempt(admin: Homeserver, userId: string, bounds: Bounds = {}): Promise<boolean> {
  const override = overrideSchema.safeParse(await call(admin, "GET", userId, bounds));
  return override.data?.messages_per_second === 0;
}

/**
 * Exempts an account.
 * @returns false: it was exempt already
 * @throws as `isExempt`
 */
export async function exempt(admin: Homeserver, userId: string, bounds: Bounds = {}): Promise<boolean> {
  if (await isExempt(admin, userId, bounds)) return false;
  await call(admin, "POST", userId, bounds);
  return true;
}

async function call(
  admin: Homeserver,
  method: "GET" | "POST",
  userId: string,
  bounds: Bounds,
): Promise<unknown> {
  try {
    return await admin.request(method, pathFor(userId), {
      ...bounds,
      ...(method === "POST" ? { body: EXEMPT } : {}),
    });
  } catch (error) {
    throw explained(error, userId);
  }
}

function explained(error: unknown, userId: string): unknown {
  if (!(error instanceof HomeserverError)) return error;
  if (error.status === 401) {
    return new BotError("forbidden", "the homeserver does not know the administrator's token", {
      cause: error,
    });
  }
  if (error.status === 403) {
    return new BotError("forbidden", "the account of the administrator's token is no server administrator", {
      cause: error,
    });
  }
  if (error.errcode === "M_NOT_FOUND") {
    return new BotError("not_found", `${userId} is no account of this homeserver`, { cause: error });
  }
  if (error.status === 404 || error.status === 405) {
    const what = "there is no Synapse admin API at that address (another homeserver, or a proxy hides it)";
    return new BotError("not_found", what, { cause: error });
  }
  return error;
}

function pathFor(userId: string): string {
  return apiPath`/_synapse/admin/v1/users/${userId}/override_ratelimit`;
}
