import { randomUUID } from "node:crypto";
import { z } from "zod";
import { render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import { missingIn, missingSentence, type RoomFacts } from "../room-admin/missing.ts";
import type { RoomTalk } from "./room-talk.ts";
import type { RoomDocuments } from "../store/store.ts";

export interface GreetingDeps {
  room: RoomFacts & { readonly id: string };
  talk: Pick<RoomTalk, "tellOnce" | "language">;
  documents: Pick<RoomDocuments, "read" | "write">;
  prefix: string;
  /** Whether the homeserver has held the bot back lately. */
  limited: boolean;
}

const GREETING = "greeting";
/** `id` makes one event of it, however often it is sent; the store forgets it with the room. */
const greetingSchema = z.object({ id: z.string(), said: z.boolean() });

/**
 * After an invitation: says what the bot can do in the room, what is missing there, and which commands to start with.
 * Once for each room; when the bot was thrown out and is invited again, once more. It waits its turn behind all that a
 * channel needs, as replies do. Never throws; resolves when it is said, or could not be.
 */
export async function greet({ room, talk, documents, prefix, limited }: GreetingDeps): Promise<void> {
  const { id, said } = documents.read(GREETING, greetingSchema) ?? { id: randomUUID(), said: false };
  if (said) return;
  documents.write(GREETING, { id, said: false });
  const sentence = greetingOf(room, { prefix, limited, language: talk.language });
  if (await talk.tellOnce(sentence, `greeting ${id}`)) documents.write(GREETING, { id, said: true });
}

function greetingOf(
  room: GreetingDeps["room"],
  { prefix, limited, language }: { prefix: string; limited: boolean; language: Language },
): Sentence {
  const missing = missingIn(room, { limited });
  if (missing.some(({ kind }) => kind === "encrypted")) return { key: "room.encrypted" };
  if (missing.length === 0) return { key: "room.hello", params: { prefix } };
  const sentences = missing.map(missingSentence);
  if (missing.some(({ kind }) => kind !== "rate_limit")) {
    sentences.push({ key: "missing.grant", params: { room: room.id } });
  }
  const list = sentences.map((each) => `– ${render(each, language).text}`).join("\n");
  return { key: "room.hello_missing", params: { prefix, list } };
}
