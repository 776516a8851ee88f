import { z } from "zod";
import type { Homeserver } from "../matrix/homeserver.ts";

const whoamiSchema = z.object({ user_id: z.string().regex(/^@[^:]*:.+$/) });

/** Somebody who does something on the homeserver: an account, and what speaks for it. */
export interface Actor {
  readonly userId: string;
  readonly serverName: string;
  readonly homeserver: Homeserver;
}

/** Whose token that is. @throws HomeserverError (see `isTokenRejected`), BotError as `Homeserver.request`; ZodError */
export async function actorOf(homeserver: Homeserver): Promise<Actor> {
  const path = "/_matrix/client/v3/account/whoami";
  const answer = await homeserver.request("GET", path);
  const { user_id: userId } = whoamiSchema.parse(answer);
  return { userId, serverName: userId.slice(userId.indexOf(":") + 1), homeserver };
}
