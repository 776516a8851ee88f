import { z } from "zod";
import type { Homeserver } from "./homeserver.ts";

export interface TurnServers {
  servers: { uri: string; username: string; password: string }[];
  /** Read them again before this time has passed. */
  ttlMs: number;
}

const turnSchema = z.object({
  uris: z.array(z.string().regex(/^turns?:/)).default([]),
  username: z.string().default(""),
  password: z.string().default(""),
  ttl: z.number().positive().default(86_400),
});

/**
 * The TURN servers that the homeserver offers us; none when it has none.
 * @throws BotError of `Homeserver.request`; ZodError
 */
export async function readTurnServers(homeserver: Homeserver, signal?: AbortSignal): Promise<TurnServers> {
  const path = "/_matrix/client/v3/voip/turnServer";
  const body = await homeserver.request("GET", path, signal === undefined ? {} : { signal });
  const { uris, username, password, ttl } = turnSchema.parse(body);
  return { servers: uris.map((uri) => ({ uri, username, password })), ttlMs: ttl * 1000 };
}
