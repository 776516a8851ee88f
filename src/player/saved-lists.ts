import { z } from "zod";
import { cutText } from "../base/cut-text.ts";
import { BotError } from "../base/errors.ts";
import { oneLine, type Sentence } from "../base/messages/catalogue.ts";
import { nearest } from "../base/nearest.ts";
import { MAX_QUEUE, trackSchema, type Track } from "./queue.ts";
import type { PlayerDocuments } from "./saved.ts";

export const MAX_LISTS = 50;
const MAX_NAME = 60;

const infoSchema = z.object({
  /** Its document is `list.<id>`. */
  id: z.number().int().min(1),
  name: z.string().min(1).max(MAX_NAME),
  /** User id of who has saved it last. */
  by: z.string().max(255),
  count: z.number().int().min(1).max(MAX_QUEUE),
});
export type ListInfo = z.infer<typeof infoSchema>;

const entrySchema = trackSchema.omit({ id: true, requester: true });
/** A track of a list, by nobody yet. */
export type ListEntry = z.infer<typeof entrySchema>;

const INDEX = "lists";
const indexSchema = z.array(infoSchema).max(MAX_LISTS);
const listSchema = z.array(entrySchema).min(1).max(MAX_QUEUE);
const documentOf = ({ id }: ListInfo): string => `list.${id}`;

export interface SavedListsDeps {
  documents: PlayerDocuments;
  /** Says in the room, once, what could not be read any more. Must not throw. */
  tell: (sentence: Sentence) => void;
}

/** The lists of tracks that a room has kept under names, for ever: a document for each, and one with their names. */
export class SavedLists {
  readonly #deps: SavedListsDeps;

  constructor(deps: SavedListsDeps) {
    this.#deps = deps;
  }

  /** By name. */
  all(): ListInfo[] {
    const { documents, tell } = this.#deps;
    const index = documents.read(INDEX, indexSchema);
    if (index) return index.sort((a, b) => a.name.localeCompare(b.name));
    if (!documents.has(INDEX)) return [];
    documents.setAside(INDEX);
    tell({ key: "lists.damaged_all" });
    return [];
  }

  /** Upper and lower case are the same. */
  find(name: string): ListInfo | null {
    const key = keyOf(name);
    return this.all().find((each) => keyOf(each.name) === key) ?? null;
  }

  /**
   * Keeps the tracks, at most as many as fit into a queue; a list of that name is replaced.
   * @param typed as somebody wrote it
   * @throws BotError `nothing_playing` without tracks, `queue_full` when there are too many lists
   */
  save(typed: string, tracks: readonly Track[], by: string): ListInfo {
    const entries = tracks
      .slice(0, MAX_QUEUE)
      .map(({ title, artist, durationMs, source, picture }): ListEntry => {
        return { title, artist, durationMs, source, picture };
      });
    if (entries.length === 0) {
      throw new BotError("nothing_playing", "nothing to keep", { say: { key: "lists.nothing" } });
    }
    const all = this.all();
    const known = this.find(typed);
    if (!known && all.length >= MAX_LISTS) {
      const say: Sentence = { key: "lists.full", params: { limit: MAX_LISTS } };
      throw new BotError("queue_full", "too many lists", { say });
    }
    const id = known?.id ?? Math.max(0, ...all.map((each) => each.id)) + 1;
    const info: ListInfo = { id, name: listName(typed), by, count: entries.length };
    // A kill between the two leaves a document that the next list of that number replaces.
    this.#deps.documents.write(documentOf(info), entries satisfies z.input<typeof listSchema>);
    this.#deps.documents.write(INDEX, [...all.filter((each) => each.id !== id), info]);
    return info;
  }

  /** @throws BotError `not_found` with the nearest name, or that it cannot be read any more: it is set aside then */
  load(name: string): { info: ListInfo; entries: ListEntry[] } {
    const info = this.#named(name);
    const entries = this.#deps.documents.read(documentOf(info), listSchema);
    if (entries) return { info, entries };
    if (this.#deps.documents.has(documentOf(info))) this.#deps.documents.setAside(documentOf(info));
    this.#forget(info);
    throw new BotError("not_found", "a damaged list", {
      say: { key: "lists.damaged", params: { name: info.name } },
    });
  }

  /** @throws BotError `not_found` with the nearest name */
  remove(name: string): ListInfo {
    const info = this.#named(name);
    this.#forget(info);
    this.#deps.documents.remove(documentOf(info));
    return info;
  }

  #forget({ id }: ListInfo): void {
    this.#deps.documents.write(
      INDEX,
      this.all().filter((each) => each.id !== id),
    );
  }

  #named(typed: string): ListInfo {
    const info = this.find(typed);
    if (info) return info;
    const name = listName(typed);
    const all = this.all().map((each) => each.name);
    const meant = nearest(name, all);
    throw new BotError("not_found", "no such list", {
      say: meant
        ? { key: "lists.unknown_nearest", params: { name, nearest: meant } }
        : { key: all.length > 0 ? "lists.unknown" : "lists.none", params: { name, names: all.join(", ") } },
    });
  }
}

/** A name as it is kept: one line, cut; "" when nothing is left of it. */
export const listName = (typed: string): string => oneLine(cutText(oneLine(typed), MAX_NAME));

const keyOf = (name: string): string => listName(name).normalize("NFKC").toLowerCase();
