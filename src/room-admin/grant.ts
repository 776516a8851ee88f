import { BotError } from "../base/errors.ts";
import { apiPath, HomeserverError } from "../matrix/homeserver.ts";
import type { Actor } from "./actor.ts";
import { missingIn, type Missing } from "./missing.ts";
import { powerLevelsFor, refusalFor, withChanges, type PowerChange } from "./power.ts";
import { readRoom, type ReadRoom } from "./read-room.ts";

export interface GrantOptions {
  roomId: string;
  bot: Actor;
  /** Somebody who may change the room; null: only the bot itself is asked. */
  helper: Actor | null;
  dryRun: boolean;
}

type Outcome =
  | { readonly kind: "nothing_to_do" }
  | { readonly kind: "dry_run"; readonly by: string }
  | { readonly kind: "changed"; readonly by: string }
  /** Neither the bot nor the helper may: a moderator of this level has to. */
  | { readonly kind: "not_permitted"; readonly needed: number };

export interface Granted {
  readonly room: ReadRoom;
  /** What was missing before. */
  readonly before: readonly Missing[];
  /** What is missing now. */
  readonly after: readonly Missing[];
  readonly changes: readonly PowerChange[];
  readonly outcome: Outcome;
}

/**
 * Mends a room's power levels, so that its voice channel works; by the bot's own power, else the helper's.
 * @throws BotError `room_encrypted`; `forbidden` when neither of the accounts is in the room; others as `readRoom`
 */
export async function grantRoom(options: GrantOptions): Promise<Granted> {
  const { roomId, bot, helper, dryRun } = options;
  const accounts = helper === null || helper.userId === bot.userId ? [bot] : [bot, helper];
  const { room, reader } = await readByAny(roomId, bot, accounts);
  const before = missingIn(room);
  if (room.encrypted) throw new BotError("room_encrypted", `the room ${roomId} is encrypted`);
  const changes = powerLevelsFor(room.power, bot.userId);
  const same = { room, before, after: before, changes };
  if (changes.length === 0) return { ...same, outcome: { kind: "nothing_to_do" } };
  for (const account of accounts) {
    if (refusalFor(room.power, changes, account.userId) !== null) continue;
    if (dryRun) return { ...same, outcome: { kind: "dry_run", by: account.userId } };
    if (!(await put(account, roomId, withChanges(room.power, changes)))) continue;
    const mended = await readRoom(reader.homeserver, roomId, bot.userId);
    return {
      ...{ room: mended, before, after: missingIn(mended), changes },
      outcome: { kind: "changed", by: account.userId },
    };
  }
  const needed = refusalFor(room.power, changes, NOBODY)?.needed ?? 100;
  return { ...same, outcome: { kind: "not_permitted", needed } };
}

const NOBODY = "@";

/** The room as the first of the accounts sees it that is in it. */
async function readByAny(
  roomId: string,
  bot: Actor,
  accounts: readonly Actor[],
): Promise<{ room: ReadRoom; reader: Actor }> {
  let refusal: unknown = null;
  for (const reader of accounts) {
    try {
      return { room: await readRoom(reader.homeserver, roomId, bot.userId), reader };
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.status !== 403) throw error;
      refusal = error;
    }
  }
  const who =
    accounts.length === 1 ? `${bot.userId} is not` : `neither ${bot.userId} nor the other account is`;
  throw new BotError(
    "forbidden",
    `${who} in the room. Send there: /invite ${bot.userId} – the running bot comes by itself if its settings let it (invites.allow)`,
    { cause: refusal },
  );
}

/** False when the homeserver says that the account may not. */
async function put({ homeserver }: Actor, roomId: string, body: object): Promise<boolean> {
  const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/m.room.power_levels/`;
  try {
    await homeserver.request("PUT", path, { body });
    return true;
  } catch (error) {
    if (error instanceof HomeserverError && error.status === 403) return false;
    throw error;
  }
}
