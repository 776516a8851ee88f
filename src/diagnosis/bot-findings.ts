import { shortTime } from "../base/duration.ts";
import { missingSentence } from "../room-admin/missing.ts";
import type { Finding } from "./finding.ts";
import { heardBy } from "./heard.ts";
import type { BotReport, ChannelReport } from "./report.ts";

/** Joining takes some seconds, under a rate limit more. */
const JOIN_LATE_MS = 15_000;
/** A poll is answered after half a minute when nothing happens. */
const SYNC_LATE_MS = 75_000;
const OUTBOX_LATE_MS = 15_000;
/** So much of the time the machine did not keep up. */
const LATE_SHARE = 0.01;
const FRAME_MS = 20;

type Own = Omit<Finding, "member">;

/** What is wrong with the bot itself. */
export function botFindings(report: ChannelReport): Own[] {
  const { bot, members } = report;
  return [...membership(bot), ...plane(bot), ...homeserver(bot), ...sound(report, members.length)];
}

function membership({ missing, phase, phaseForMs }: BotReport): Own[] {
  const lacking = missing
    .filter(({ kind }) => kind !== "rate_limit")
    .map((one): Own => ({ severity: "fault", say: missingSentence(one) }));
  if (lacking.length > 0) return lacking;
  if (phase === "out" || phase === "leaving") return [{ severity: "fault", say: { key: "check.bot_out" } }];
  if (phase === "joining" && phaseForMs >= JOIN_LATE_MS) {
    return [
      { severity: "fault", say: { key: "check.bot_joining", params: { time: shortTime(phaseForMs) } } },
    ];
  }
  return [];
}

function plane({ plane, phase, media, phaseForMs }: BotReport): Own[] {
  if (plane !== "up") return [{ severity: "fault", say: { key: "check.plane_down" } }];
  if (phase !== "in") return [];
  if (media === null) return [{ severity: "fault", say: { key: "check.plane_silent" } }];
  const late = (media.lateFrames * FRAME_MS) / Math.max(1, phaseForMs);
  if (late < LATE_SHARE || media.lateFrames < 50) return [];
  return [{ severity: "weak", say: { key: "check.machine_busy", params: { percent: percentOf(late) } } }];
}

function homeserver({ userId, syncAgeMs, outbox }: BotReport): Own[] {
  const findings: Own[] = [];
  if (syncAgeMs !== null && syncAgeMs >= SYNC_LATE_MS) {
    findings.push({
      severity: "fault",
      say: { key: "check.sync_late", params: { time: shortTime(syncAgeMs) } },
    });
  }
  const { limited, waiting, oldestMs } = outbox;
  const params = { count: waiting, time: shortTime(oldestMs) };
  if (limited && waiting > 0) {
    findings.push({ severity: "weak", say: { key: "check.rate_limited", params: { ...params, userId } } });
  } else if (waiting > 0 && oldestMs >= OUTBOX_LATE_MS) {
    findings.push({ severity: "fault", say: { key: "check.outbox_stuck", params } });
  }
  return findings;
}

function sound(report: ChannelReport, people: number): Own[] {
  const { playing, phase, volumePercent, recordingForMs } = report.bot;
  const findings: Own[] = [];
  if (phase === "in" && playing === "playing") {
    if (people === 0) findings.push({ severity: "note", say: { key: "check.nobody_there" } });
    else if (heardBy(report).heard === 0)
      findings.push({ severity: "fault", say: { key: "check.nobody_hears" } });
    if (volumePercent === 0) findings.push({ severity: "note", say: { key: "check.volume_zero" } });
  }
  if (playing === "paused") findings.push({ severity: "note", say: { key: "check.paused" } });
  if (recordingForMs !== null) {
    const params = { time: shortTime(recordingForMs) };
    findings.push({ severity: "note", say: { key: "check.recording", params } });
  }
  return findings;
}

export const percentOf = (share: number): number => Math.round(share * 100);
