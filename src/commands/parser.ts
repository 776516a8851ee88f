import { z } from "zod";
import { captionOf } from "../player/resolver/upload.ts";

/** A command as somebody wrote it. `args` is what follows the name, trimmed, as it was written. */
export interface ParsedCommand {
  name: string;
  args: string;
  /** The message that it is a reply to; in a thread also the one before it there, and then `isLoose`. */
  repliesTo: string | null;
  /** Nobody chose what it replies to: clients without threads are shown it so. */
  isLoose?: true;
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
      event_id: z.string().min(1).max(255).optional().catch(undefined),
      is_falling_back: z.boolean().optional().catch(undefined),
      "m.in_reply_to": z
        .object({ event_id: z.string().min(1).max(255) })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});

const mentionsSchema = z.object({
  "m.mentions": z
    .object({ user_ids: z.array(z.string()).max(1_000).catch([]) })
    .optional()
    .catch(undefined),
  formatted_body: z.string().max(65_536).optional().catch(undefined),
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
  const isLoose =
    repliesTo !== null && relation?.rel_type === "m.thread" && relation.is_falling_back === true;
  const said = msgtype === "m.text" ? (repliesTo ? withoutQuote(body) : body) : captionOf(content);
  if (said === null) return null;
  const rest = addressed(said.trim(), content, addressing);
  const words = rest === null ? null : /^(\p{L}[\p{L}\p{N}_-]{0,30})(?:\s+([^]*))?$/u.exec(rest);
  if (!words?.[1]) return null;
  const args = (words[2] ?? "").trim().slice(0, MAX_LENGTH);
  return { name: words[1].toLowerCase(), args, repliesTo, ...(isLoose ? { isLoose } : {}) };
}

/** The root of the thread that a message is in (spec, "Threading"); null when it is in none. */
export function threadOf(content: unknown): string | null {
  const relation = messageSchema.safeParse(content).data?.["m.relates_to"];
  return relation?.rel_type === "m.thread" ? (relation.event_id ?? null) : null;
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

/** What was said to the bot, without the prefix or the name it was called by. @param content of the message */
function addressed(said: string, content: unknown, addressing: Addressing): string | null {
  const { prefix, ownUserId } = addressing;
  const bare = withoutPrefix(said, prefix);
  if (bare !== null) return bare;
  const called = said.replace(
    /^@?\[([^\]]{1,200})\]\(https:\/\/matrix\.to\/#\/([^)]{1,300})\)/,
    (whole, _, id: string) => (decoded(id) === ownUserId ? ownUserId : whole),
  );
  const rest = withoutName(called, addressing, mentions(content, ownUserId));
  return rest === null ? null : (withoutPrefix(rest, prefix) ?? rest);
}

const withoutPrefix = (said: string, prefix: string): string | null =>
  said.toLowerCase().startsWith(prefix.toLowerCase()) ? said.slice(prefix.length) : null;

function withoutName(said: string, { ownUserId, ownNames }: Addressing, isMeant: boolean): string | null {
  const lower = said.toLowerCase();
  const localpart = ownUserId.slice(0, ownUserId.indexOf(":"));
  // A name alone also begins ordinary sentences: without a mention it needs the @ before it, or a colon or comma after it.
  const shown = [localpart.slice(1), ...ownNames].flatMap((name) => [
    ...[`@[${name}]`, `@${name}`, `${name}:`, `${name},`],
    ...(isMeant ? [name] : []),
  ]);
  for (const name of [ownUserId, ...shown]) {
    if (name.length < 2 || !lower.startsWith(name.toLowerCase())) continue;
    const rest = said.slice(name.length);
    if (/[:,]$/.test(name) || /^\s*[:,]|^\s/.test(rest)) return rest.replace(/^\s*[:,]?\s*/, "");
  }
  return null;
}

/** Whether the message says that it is about the bot (spec, "User and room mentions"), or a pill in it does. */
function mentions(content: unknown, ownUserId: string): boolean {
  const decodedContent = mentionsSchema.safeParse(content);
  if (!decodedContent.success) return false;
  const { "m.mentions": named, formatted_body: html } = decodedContent.data;
  if (named) return named.user_ids.includes(ownUserId);
  const [, id] = /^\s*<a href="https:\/\/matrix\.to\/#\/([^"?]{1,300})"/.exec(html ?? "") ?? [];
  return id !== undefined && decoded(id) === ownUserId;
}

/** Of an address; what is none stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Older clients repeat what they answer, as lines with "> " before the text (spec, "Fallbacks for rich replies"). */
function withoutQuote(body: string): string {
  if (!body.startsWith("> ")) return body;
  const end = body.indexOf("\n\n");
  return end < 0 ? body : body.slice(end + 2);
}
