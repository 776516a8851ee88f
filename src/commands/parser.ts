import { z } from "zod";
import { captionOf } from "../player/resolver/upload.ts";

/** A command as somebody wrote it. `args` is what follows the name, trimmed, as it was written. */
export interface ParsedCommand {
  name: string;
  args: string;
  /** The message that it is a reply to. */
  repliesTo: string | null;
}

export interface Addressing {
  prefix: string;
  ownUserId: string;
  /** As the room shows them, now or otherwise. */
  ownNames: readonly string[];
}

const messageSchema = z.object({
  msgtype: z.string(),
  body: z.string().max(65_536),
  "m.relates_to": z
    .object({
      rel_type: z.string().optional().catch(undefined),
      "m.in_reply_to": z
        .object({ event_id: z.string().min(1).max(255) })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Longer than any name or URL that one would type. */
const MAX_LENGTH = 1_000;

/**
 * Reads an m.room.message's content. Null for whatever is not said to the bot: other talk, notices (bots write them; none
 * is ever answered, or two bots answer each other for ever), edits of earlier messages, captions without a command.
 */
export function parseCommand(content: unknown, addressing: Addressing): ParsedCommand | null {
  const decoded = messageSchema.safeParse(content);
  if (!decoded.success) return null;
  const { msgtype, body, "m.relates_to": relation } = decoded.data;
  if (relation?.rel_type === "m.replace") return null;
  const repliesTo = relation?.["m.in_reply_to"]?.event_id ?? null;
  const said = msgtype === "m.text" ? (repliesTo ? withoutQuote(body) : body) : captionOf(content);
  if (said === null) return null;
  const rest = addressed(said.trim(), addressing);
  const words = rest === null ? null : /^(\p{L}[\p{L}\p{N}_-]{0,30})(?:\s+([^]*))?$/u.exec(rest);
  if (!words?.[1]) return null;
  return { name: words[1].toLowerCase(), args: (words[2] ?? "").trim().slice(0, MAX_LENGTH), repliesTo };
}

/** The number that a message is and nothing else, else null. Edits and notices are none. */
export function parseNumber(content: unknown): number | null {
  const decoded = messageSchema.safeParse(content);
  if (!decoded.success || decoded.data.msgtype !== "m.text") return null;
  const { body, "m.relates_to": relation } = decoded.data;
  if (relation?.rel_type === "m.replace") return null;
  const said = (relation?.["m.in_reply_to"] ? withoutQuote(body) : body).trim();
  return /^[1-9]\d?$/.test(said) ? Number(said) : null;
}

/** What was said to the bot, without the prefix or the name it was called by. */
function addressed(said: string, { prefix, ownUserId, ownNames }: Addressing): string | null {
  const lower = said.toLowerCase();
  if (lower.startsWith(prefix.toLowerCase())) return said.slice(prefix.length);
  const localpart = ownUserId.slice(0, ownUserId.indexOf(":"));
  // A name alone also begins ordinary sentences: it needs the @ before it, or a colon or comma after it.
  const shown = ownNames.flatMap((name) => [`@${name}`, `${name}:`, `${name},`]);
  const names = [ownUserId, localpart, ...shown];
  for (const name of names) {
    if (name.length < 2 || !lower.startsWith(name.toLowerCase())) continue;
    const rest = said.slice(name.length);
    if (/[:,]$/.test(name) || /^\s*[:,]|^\s/.test(rest)) return rest.replace(/^\s*[:,]?\s*/, "");
  }
  return null;
}

/** Older clients repeat what they answer, as lines with "> " before the text (spec, "Fallbacks for rich replies"). */
function withoutQuote(body: string): string {
  if (!body.startsWith("> ")) return body;
  const end = body.indexOf("\n\n");
  return end < 0 ? body : body.slice(end + 2);
}
