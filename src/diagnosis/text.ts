import { shortTime } from "../base/duration.ts";
import { render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import { diagnose } from "./diagnose.ts";
import type { Finding, Severity } from "./finding.ts";
import { heardBy } from "./heard.ts";
import { shortName } from "./member-findings.ts";
import type { BotReport, ChannelReport, MemberMedia, MemberReport } from "./report.ts";

const MAX_MEMBERS = 20;
/** Of one member; the gravest say enough. */
const MAX_FINDINGS = 2;
const SILENT_MS = 10_000;
const MUTED_DBFS = -126;
const MARKS: Readonly<Record<Severity | "fine", string>> = { fault: "✗", weak: "⚠", note: "·", fine: "✓" };
const ORDER: readonly (Severity | "fine")[] = ["fault", "weak", "note", "fine"];

/**
 * A report for people in a chat: the bot, then a line for each member, the worst first. Pings nobody, shows no address.
 * @param prefix of commands
 */
export function reportSentence(report: ChannelReport, language: Language, prefix: string): Sentence {
  const say: Say = ({ key, params }) => render({ key, params: { prefix, ...params } }, language).text;
  const findings = diagnose(report);
  const lines = [botLine(report, say)];
  for (const { severity, say: what } of findings.filter(({ member }) => member === null)) {
    lines.push(`${MARKS[severity]} ${say(what)}`);
  }
  const names = namesOf(report.members);
  const ranked = report.members
    .map((member, index) => {
      const own = findings.filter((finding) => finding.member === member.key);
      return { member, own, index, worst: own[0]?.severity ?? ("fine" as const) };
    })
    .sort((a, b) => ORDER.indexOf(a.worst) - ORDER.indexOf(b.worst) || a.index - b.index);
  for (const { member, own, worst } of ranked.slice(0, MAX_MEMBERS)) {
    lines.push(`${MARKS[worst]} ${memberLine(member, names.get(member.key) ?? "", own, say)}`);
  }
  const rest = ranked.slice(MAX_MEMBERS);
  if (rest.length > 0) {
    const fine = rest.every(({ worst }) => worst === "fine");
    lines.push(say({ key: fine ? "check.more_fine" : "check.more", params: { count: rest.length } }));
  }
  return { key: "check.list", params: { list: lines.join("\n") } };
}

type Encoder = NonNullable<NonNullable<BotReport["media"]>["encoder"]>;
type Say = (sentence: Sentence) => string;

function botLine(report: ChannelReport, say: Say): string {
  const { bot, members } = report;
  const { heard, of } = heardBy(report);
  const plays = bot.phase === "in" && bot.playing === "playing" && of > 0;
  const parts = [
    say(phaseSentence(bot)),
    say({ key: `check.is_${bot.playing}` }),
    plays
      ? say({ key: "check.heard", params: { heard, count: of } })
      : say({ key: "check.members", params: { count: members.length } }),
    bot.media && say({ key: "check.engine", params: { engine: bot.media.engine } }),
    bot.media?.encoder && say(encoderSentence(bot.media.encoder)),
    bot.syncAgeMs !== null && say({ key: "check.synced", params: { time: shortTime(bot.syncAgeMs) } }),
    bot.outbox.waiting > 0 && say({ key: "check.waiting", params: { count: bot.outbox.waiting } }),
  ];
  return parts.filter(Boolean).join("; ");
}

function encoderSentence({ bitrate, expectedLoss, fec }: Encoder): Sentence {
  const kbits = Math.round(bitrate / 1000);
  return fec
    ? { key: "check.encoder_fec", params: { kbits, percent: expectedLoss } }
    : { key: "check.encoder", params: { kbits } };
}

function phaseSentence({ phase, phaseForMs }: BotReport): Sentence {
  return { key: `check.phase_${phase}`, params: { time: shortTime(phaseForMs) } };
}

function memberLine(member: MemberReport, name: string, findings: readonly Finding[], say: Say): string {
  const { link, linkForMs, media } = member;
  const state = say({ key: `check.link_${link}`, params: { time: shortTime(linkForMs) } });
  const parts = [state, ...(link === "connected" && media !== null ? figures(media, say) : [])];
  const wrong = findings.slice(0, MAX_FINDINGS).map((finding) => say(finding.say));
  return `${name}: ${parts.join(", ")}${wrong.length > 0 ? ` – ${wrong.join(" ")}` : ""}`;
}

function figures(media: MemberMedia, say: Say): string[] {
  const { outgoing, incoming, roundTripMs } = media;
  const jitterMs = incoming.jitterMs ?? outgoing.jitterMs;
  const loss = (of: { loss: number | null; lossInAll: number | null }): Record<string, string> => ({
    recent: percent(of.loss),
    all: percent(of.lossInAll),
  });
  return [
    wayText(media, say),
    roundTripMs === null ? null : say({ key: "check.round_trip", params: { ms: Math.round(roundTripMs) } }),
    outgoing.lossInAll === null ? null : say({ key: "check.lost_ours", params: loss(outgoing) }),
    outgoing.redundancy ? say({ key: "check.redundancy", params: { count: outgoing.redundancy } }) : null,
    incoming.lossInAll === null ? null : say({ key: "check.lost_theirs", params: loss(incoming) }),
    jitterMs === null ? null : say({ key: "check.jitter_ms", params: { ms: Math.round(jitterMs) } }),
    say(voiceSentence(media)),
  ].filter((part) => part !== null);
}

function wayText({ way, relayed }: MemberMedia, say: Say): string | null {
  if (way === null) return relayed === null ? null : say({ key: relayed ? "check.relayed" : "check.direct" });
  const { local, remote } = way;
  if (local === "relay") return say({ key: "check.relayed_ours" });
  if (remote === "relay") return say({ key: "check.relayed_theirs" });
  // The way of a packet to an address that only checks or a STUN server showed goes through a NAT.
  return say({ key: local === "host" && remote === "host" ? "check.direct_host" : "check.direct_nat" });
}

function voiceSentence({ incoming }: MemberMedia): Sentence {
  const { packetAgeMs, soundAgeMs, levelDbfs, dtx } = incoming;
  if (packetAgeMs === null) return { key: "check.voice_none" };
  if (packetAgeMs >= SILENT_MS) return { key: "check.voice_since", params: { time: shortTime(packetAgeMs) } };
  if (levelDbfs !== null && levelDbfs <= MUTED_DBFS) return { key: "check.voice_muted" };
  if (dtx) return { key: "check.voice_dtx" };
  if (levelDbfs === null) return { key: "check.voice_unknown" };
  const level = Math.round(levelDbfs);
  if (soundAgeMs !== null && soundAgeMs < SILENT_MS) return { key: "check.voice_level", params: { level } };
  return { key: "check.voice_quiet", params: { level } };
}

function percent(share: number | null): string {
  if (share === null) return "–";
  const value = share * 100;
  return value > 0 && value < 0.95 ? value.toFixed(1) : String(Math.round(value));
}

/** Names, with the device where two are the same. */
function namesOf(members: readonly MemberReport[]): Map<string, string> {
  const count = new Map<string, number>();
  for (const { name } of members) count.set(shortName(name), (count.get(shortName(name)) ?? 0) + 1);
  return new Map(
    members.map(({ key, name }) => {
      const short = shortName(name);
      const device = shortName(key.split("@")[0] || key);
      return [key, (count.get(short) ?? 0) > 1 ? `${short} (${device})` : short];
    }),
  );
}
