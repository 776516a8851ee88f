import type { Clock } from "../../base/clock.ts";
import { BotError, messageOf } from "../../base/errors.ts";
import { Journal, readJournal, type JournalFact } from "../journal.ts";

/** Appends to the journal of a recording that is not being written. On disk when it resolves. @throws what the disk says */
export async function appendTo(
  directory: string,
  clock: Clock,
  facts: readonly JournalFact[],
): Promise<void> {
  const { validBytes } = await readJournal(directory);
  let failure: unknown = null;
  const journal = await Journal.reopen(directory, validBytes, clock, (error) => (failure ??= error));
  for (const fact of facts) journal.add(fact);
  try {
    await journal.flush();
  } finally {
    await journal.close();
  }
  if (failure !== null) throw new BotError("internal", messageOf(failure), { cause: failure });
}
