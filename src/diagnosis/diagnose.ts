import { botFindings } from "./bot-findings.ts";
import type { Finding, Severity } from "./finding.ts";
import { memberFindings } from "./member-findings.ts";
import type { ChannelReport } from "./report.ts";

const RANK: Readonly<Record<Severity, number>> = { fault: 0, weak: 1, note: 2 };

/** What is wrong in a channel: faults first, of the bot before those of members. Pure. */
export function diagnose(report: ChannelReport): Finding[] {
  const findings = [
    ...botFindings(report).map((finding) => ({ ...finding, member: null })),
    ...report.members.flatMap((member) =>
      memberFindings(member, report.bot).map((finding) => ({ ...finding, member: member.key })),
    ),
  ];
  return findings.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}
