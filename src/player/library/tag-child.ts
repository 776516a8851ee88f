// Entry of the tag child (tag-reader.ts forks it): paths by message, their tags back. Its own process, so that a file
// that a parser cannot stand harms nobody, and so that what it needs of memory is given back when all is read.
import { stepBack } from "../../base/step-back.ts";
import { systemClock } from "../../base/system-clock.ts";
import { confinedFile } from "../resolver/confine.ts";
import { NO_TAGS, type Tags } from "./entry.ts";
import { Pace } from "./pace.ts";
import { readTags } from "./read-tags.ts";
import { tagRequestSchema } from "./tag-messages.ts";

/** Files are read in many small pieces, each of which is waited for. */
const AT_ONCE = 4;

stepBack(process.pid);

const pace = new Pace(systemClock, () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
});

process.once("disconnect", () => process.exit(0));
process.on("message", (raw) => void answer(raw));

async function answer(raw: unknown): Promise<void> {
  const { root, paths } = tagRequestSchema.parse(raw);
  const tags: Tags[] = paths.map(() => NO_TAGS);
  const waiting = paths.entries();
  const work = async (): Promise<void> => {
    for (const [i, path] of waiting) {
      await pace.rest();
      const real = await confinedFile(root, path.split("/"));
      if (real !== null) tags[i] = await readTags(real).catch(() => NO_TAGS);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  process.send?.(tags);
}
