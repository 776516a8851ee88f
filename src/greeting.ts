import { z } from "zod";
import { render, type Language, type Sentence } from "./base/messages/catalogue.ts";
import type { RoomState } from "./matrix/session.ts";
import { missingIn, missingSentence } from "./room-admin/missing.ts";
import type { RoomTalk } from "./room-talk.ts";
import type { RoomDocuments } from "./store/store.ts";

export interface GreetingDeps {
  room: RoomState;
  talk: RoomTalk;
  documents: RoomDocuments;
  prefix: string;
  /** Whether the homeserver has held the bot back lately. */
  limited: boolean;
}

const GREETED = "greeted";

/**
 * After an invitation: says what the bot can do in the room, what is missing there, and which commands to start with.
 * Once for each room; when the bot was thrown out and is invited again, once more. It waits its turn behind all that a
 * channel needs, as replies do. Never throws; resolves when it is said, or could not be.
 */
export async function greet({ room, talk, documents, prefix, limited }: GreetingDeps): Promise<void> {
  if (documents.read(GREETED, z.boolean()) === true) return;
  const sentence = greetingOf(room, { prefix, limited, language: talk.language });
  if (await talk.tellOnce(sentence, `greeting ${room.id}`)) documents.write(GREETED, true);
}

function greetingOf(
  room: RoomState,
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
