import { z } from "zod";

/** Where it is kept: the store's documents of the room, or a fake. */
export interface HandledDocuments {
  read<T>(name: string, schema: z.ZodType<T>): T | null;
  write(name: string, value: unknown): void;
}

const DOCUMENT = "commands-handled";
/** A replay holds what came since the last stored sync position: seconds of a room's commands. */
const REMEMBERED = 50;
const schema = z.array(z.string().max(255)).max(REMEMBERED);

/** The newest commands that were carried out, kept over a kill: the next start sees some of them again. */
export class HandledCommands {
  readonly #documents: HandledDocuments;
  #eventIds: string[];

  constructor(documents: HandledDocuments) {
    this.#documents = documents;
    this.#eventIds = documents.read(DOCUMENT, schema) ?? [];
  }

  has(eventId: string): boolean {
    return this.#eventIds.includes(eventId);
  }

  add(eventId: string): void {
    this.#eventIds = [...this.#eventIds, eventId].slice(-REMEMBERED);
    this.#documents.write(DOCUMENT, this.#eventIds);
  }
}
