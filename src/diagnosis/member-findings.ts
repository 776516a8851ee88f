import { shortTime } from "../base/duration.ts";
import { oneLine, type MessageKey } from "../base/messages/catalogue.ts";
import type { Finding, Severity } from "./finding.ts";
import { hears } from "./heard.ts";
import type { BotReport, MemberMedia, MemberReport } from "./report.ts";

/** Connecting takes a second or two, with a relay some more. */
const CONNECT_LATE_MS = 10_000;
/** Who joins offers at once; we offer after five seconds, and again after eight. */
const OFFER_LATE_MS = 20_000;
const ANSWER_LATE_MS = 10_000;
const LOSS = 0.05;
/** Few packets make a share by chance. */
const ENOUGH_PACKETS = 100;
const JITTER_MS = 60;
const ROUND_TRIP_MS = 600;
/** A browser sends sound, or a sign that silence goes on, all the time. */
const NOTHING_SENT_MS = 10_000;
const UNHEARD_MS = 3 * 60_000;
const MUTED_DBFS = -126;
const QUIET_DBFS = -50;
const LOUD_DBFS = -8;
const MAX_NAME = 40;
const LETTERS = new Intl.Segmenter();

type Own = Omit<Finding, "member">;
type Params = Record<string, string | number>;

/** A stranger's name for a line of text. */
export function shortName(name: string): string {
  const letters = Array.from(LETTERS.segment(oneLine(name)), ({ segment }) => segment);
  return letters.length > MAX_NAME ? `${letters.slice(0, MAX_NAME - 1).join("")}…` : letters.join("");
}

/** What is wrong between the bot and one member, the gravest first. */
export function memberFindings(member: MemberReport, bot: BotReport): Own[] {
  const { link, linkForMs, media } = member;
  const name = shortName(member.name);
  const find = (severity: Severity, key: MessageKey, params: Params = {}): Own[] => [
    { severity, say: { key, params: { name, ...params } } },
  ];
  const time = shortTime(linkForMs);
  switch (link) {
    case "apart":
      return [];
    case "connected":
      if (media === null) return [];
      return [...ourSound(member, media, find), ...theWay(media, find), ...theirSound(member, media, find)];
    case "interrupted":
      return find("fault", "check.interrupted");
    case "answering":
      if (linkForMs < ANSWER_LATE_MS) return [];
      return find("fault", bot.outbox.limited ? "check.answer_limited" : "check.answer_late", { time });
    case "connecting":
      return linkForMs < CONNECT_LATE_MS ? [] : find("fault", noWay(media, bot), { time });
    case "expected":
    case "offering":
    case "offered":
    case "given_up":
      if (linkForMs < (link === "given_up" ? CONNECT_LATE_MS : OFFER_LATE_MS)) return [];
      if (link === "offering" && bot.outbox.limited) return find("fault", "check.answer_limited", { time });
      // Whoever described something and failed found no way; whoever never did does not do WebRTC.
      if (member.described && member.failures > 0) return find("fault", noWay(media, bot), { time });
      return find("fault", member.described ? "check.no_answer" : "check.never_offered", { time });
  }
}

/** Why no way may be found, as far as it can be known. */
function noWay(media: MemberMedia | null, { relays }: BotReport): MessageKey {
  if (media !== null && media.candidates.used === 0 && media.candidates.refused > 0) return "check.private";
  return relays ? "check.no_way_relay" : "check.no_way";
}

type Find = (severity: Severity, key: MessageKey, params?: Params) => Own[];

/** What they get of ours. */
function ourSound(member: MemberReport, { outgoing }: MemberMedia, find: Find): Own[] {
  const { loss, recentPackets, reportAgeMs } = outgoing;
  if (loss !== null && loss >= LOSS && recentPackets >= ENOUGH_PACKETS) {
    return find(hears(member) ? "weak" : "fault", "check.loss_out", { percent: percent(loss) });
  }
  if (hears(member)) return [];
  if (reportAgeMs === null) return find("fault", "check.unheard", { time: shortTime(member.linkForMs) });
  return find("fault", "check.unheard", { time: shortTime(reportAgeMs) });
}

function theWay({ outgoing, incoming, roundTripMs }: MemberMedia, find: Find): Own[] {
  const jitterMs = Math.max(outgoing.jitterMs ?? 0, incoming.jitterMs ?? 0);
  if (roundTripMs !== null && roundTripMs >= ROUND_TRIP_MS) {
    return find("weak", "check.slow", { ms: Math.round(roundTripMs) });
  }
  return jitterMs >= JITTER_MS ? find("weak", "check.jitter", { ms: Math.round(jitterMs) }) : [];
}

/** What we get of theirs. */
function theirSound({ linkForMs }: MemberReport, { incoming }: MemberMedia, find: Find): Own[] {
  const { loss, packets, packetAgeMs, soundAgeMs, levelDbfs } = incoming;
  const findings: Own[] = [];
  if (loss !== null && loss >= LOSS && packets >= ENOUGH_PACKETS) {
    findings.push(...find("weak", "check.loss_in", { percent: percent(loss) }));
  }
  if (packetAgeMs === null) {
    if (linkForMs >= NOTHING_SENT_MS) findings.push(...find("note", "check.sends_nothing"));
    return findings;
  }
  if (packetAgeMs >= NOTHING_SENT_MS) {
    findings.push(...find("note", "check.sent_nothing_since", { time: shortTime(packetAgeMs) }));
    return findings;
  }
  const unheardMs = soundAgeMs ?? linkForMs;
  if (levelDbfs !== null && levelDbfs <= MUTED_DBFS) findings.push(...find("note", "check.muted"));
  else if (unheardMs >= UNHEARD_MS) {
    findings.push(...find("note", "check.heard_nothing", { time: shortTime(unheardMs) }));
  } else if (levelDbfs !== null && soundAgeMs !== null && soundAgeMs < NOTHING_SENT_MS) {
    const level = Math.round(levelDbfs);
    if (levelDbfs < QUIET_DBFS) findings.push(...find("weak", "check.quiet", { level }));
    if (levelDbfs > LOUD_DBFS) findings.push(...find("weak", "check.loud", { level }));
  }
  return findings;
}

function percent(share: number): number {
  return Math.round(share * 100);
}
