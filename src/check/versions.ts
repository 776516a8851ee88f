import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { boundedBy, readBounded } from "../matrix/transport.ts";

export interface Versions {
  /** Versions of the specification that it speaks. */
  versions: string[];
  unstable: Readonly<Record<string, boolean>>;
  /** Its clock minus ours, in ms, by the answer's Date; null: it has none. */
  clockOffsetMs: number | null;
  /** How far off that may be, in ms. */
  clockErrorMs: number;
  tookMs: number;
}

const schema = z.object({
  versions: z.array(z.string()).min(1),
  unstable_features: z.record(z.string(), z.boolean()).default({}).catch({}),
});

const LIMIT_MS = 8_000;
const MAX_BYTES = 1_000_000;
/** A Date header has whole seconds, cut off. */
const SECOND_MS = 1_000;

/**
 * What the homeserver says of itself, and what time it has.
 * @throws BotError `homeserver`, `timeout`
 */
export async function readVersions(baseUrl: string, clock: Clock, signal: AbortSignal): Promise<Versions> {
  const startedMs = clock.now();
  const startedWallMs = clock.wall();
  return boundedBy({ timeoutMs: LIMIT_MS, signal }, async (bounded) => {
    const response = await fetch(`${baseUrl}/_matrix/client/versions`, {
      redirect: "manual",
      signal: bounded,
    });
    const tookMs = clock.now() - startedMs;
    const text = await readBounded(response, MAX_BYTES);
    const answer = schema.safeParse(parse(text));
    if (response.status !== 200 || !answer.success) {
      throw new BotError("homeserver", `what answers there (${response.status}) is no Matrix homeserver`);
    }
    const dateMs = Date.parse(response.headers.get("date") ?? "");
    const middleMs = startedWallMs + tookMs / 2;
    return {
      versions: answer.data.versions,
      unstable: answer.data.unstable_features,
      clockOffsetMs: Number.isNaN(dateMs) ? null : dateMs + SECOND_MS / 2 - middleMs,
      clockErrorMs: SECOND_MS / 2 + tookMs / 2,
      tookMs,
    };
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
