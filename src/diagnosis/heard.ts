import type { ChannelReport, MemberReport } from "./report.ts";

/** A connection, or a stream, that is younger has had no time to be reported on. */
const YOUNG_MS = 15_000;
/** Receivers report every five seconds or so (RFC 3550 section 6.2). */
const REPORT_LATE_MS = 15_000;
/** Of the 500 that ten seconds of sound are: who hears them has reported by then. */
const ENOUGH_PACKETS = 450;
const TOO_MUCH_LOSS = 0.5;

/** Whether a member gets what the bot sends, as far as its client says. */
export function hears({ link, linkForMs, media }: MemberReport): boolean {
  if (link !== "connected" || media === null) return false;
  const { recentPackets, reportAgeMs, loss } = media.outgoing;
  if (loss !== null && loss >= TOO_MUCH_LOSS) return false;
  if (linkForMs < YOUNG_MS || recentPackets < ENOUGH_PACKETS) return true;
  // Who gets nothing at all reports nothing about it.
  return reportAgeMs !== null && reportAgeMs < REPORT_LATE_MS;
}

/** How many of the members hear the bot; "heard by 3 of 4". Nobody does while it is not in the channel. */
export function heardBy({ bot, members }: ChannelReport): { heard: number; of: number } {
  const heard = bot.phase === "in" ? members.filter((member) => hears(member)).length : 0;
  return { heard, of: members.length };
}
