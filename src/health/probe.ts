import { z } from "zod";
import { messageOf } from "../base/errors.ts";

const PROBE_MS = 4_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const reasonSchema = z.object({ reason: z.string(), what: z.string(), room: z.string().optional() });

/**
 * Asks a running bot's listener whether it is ready, as a container's health check does.
 * @returns the reasons why not, each a line for people; none: it is ready
 */
export async function probe({ host, port }: { host: string; port: number }): Promise<string[]> {
  try {
    const response = await fetch(`http://${reachable(host)}:${port}/readyz`, {
      redirect: "error",
      signal: AbortSignal.timeout(PROBE_MS),
    });
    if (response.status === 200) {
      await response.body?.cancel();
      return [];
    }
    const text = await bounded(response);
    const reasons = text.split("\n").flatMap((line) => reasonOf(line));
    return reasons.length > 0 ? reasons : [`the bot answered ${response.status}`];
  } catch (error) {
    // What fetch throws says only that it failed.
    const { cause = error } = error as { cause?: unknown };
    return [`no answer of the bot on ${host}:${port}: ${messageOf(cause)}`];
  }
}

/** The address of this machine at which who listens on `host` is reached. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(line: string): string[] {
  try {
    const { reason, what, room } = reasonSchema.parse(JSON.parse(line));
    return [`${reason}: ${room === undefined ? "" : `${room}: `}${what}`];
  } catch {
    return [];
  }
}
