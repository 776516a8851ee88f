import type { Sentence } from "../base/messages/catalogue.ts";
import type { ConsentMode } from "./journal.ts";

export interface Announced {
  title: string | null;
  byName: string;
  automatic: boolean;
  mode: ConsentMode;
  prefix: string;
  /** In the channel; told where the room's setting has begun it. */
  people: number;
}

/** What the room is told when it is recorded from now on: by whom or why, and what who does not want that can do. */
export function announcement({ title, byName: by, automatic, mode, prefix, people }: Announced): Sentence {
  const asks = mode === "opt-in" ? "_opt_in" : "";
  if (automatic) return { key: `record.started_auto${asks}`, params: { people, prefix } };
  if (title === null) return { key: `record.started${asks}`, params: { by, prefix } };
  return { key: `record.started_titled${asks}`, params: { by, prefix, title } };
}
