import { BotError } from "../base/errors.ts";
import { clockTime } from "../base/duration.ts";
import { render, type MessageKey, type Sentence } from "../base/messages/catalogue.ts";
import { dayOf, momentOf, sizeOf, titleOf } from "../recorder/shelf/text.ts";
import type { RecordingRow, RecordingState } from "../recorder/shelf/text.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { usageOf } from "./usage.ts";

const STATES: Readonly<Record<RecordingState, MessageKey>> = {
  recording: "recordings.state_recording",
  recorded: "recordings.state_recorded",
  exported: "recordings.state_exported",
  delivered: "recordings.state_delivered",
  empty: "recordings.state_empty",
  failed: "recordings.state_failed",
  deleted: "recordings.state_deleted",
};
/** A message is to fit on a screen. */
const LISTED = 15;
const MAX_TRACKS = 30;

export const recordingsCommand: Command = {
  name: "recordings",
  aliases: ["recs"],
  usage: "[n|resend n|keep n [off]|delete n]",
  help: "help.recordings",
  power: 0,
  order: "turn",
  run(invocation) {
    const words = /^(?:(resend|keep|delete)\s+)?#?(\d{1,9})(?:\s+(off))?$/i.exec(invocation.args);
    if (invocation.args === "") return list(invocation);
    const what = words?.[1]?.toLowerCase() ?? "details";
    if (!words?.[2] || (words[3] !== undefined && what !== "keep")) {
      throw usageOf(recordingsCommand, invocation.room);
    }
    const row = invocation.room.recordings.find(Number(words[2]));
    if (what === "details") return details(invocation, row);
    requireRight(invocation, row);
    if (what === "resend") return resend(invocation, row);
    if (what === "keep") return keep(invocation, row, words[3] === undefined);
    return remove(invocation, row);
  },
};

function list({ room }: Invocation): Sentence {
  const rows = room.recordings.list();
  if (rows.length === 0) return { key: "recordings.none", params: { prefix: room.prefix } };
  const lines = rows.slice(0, LISTED).map((row) => render(lineOf(room, row), room.language).text);
  const key = rows.length > LISTED ? "recordings.list_more" : "recordings.list";
  return { key, params: { list: lines.join("\n"), prefix: room.prefix, count: rows.length } };
}

async function details({ room }: Invocation, row: RecordingRow): Promise<Sentence> {
  if (row.state === "recording") return lineOf(room, row);
  const { progress, read } = await room.recordings.details(row);
  const tracks = progress.tracks.slice(0, MAX_TRACKS).map(({ file, bytes }) => `– ${file}, ${sizeOf(bytes)}`);
  const notes = read.entries.filter(({ kind }) => kind === "note").length;
  const params = {
    line: render(lineOf(room, row), room.language).text,
    by: row.byUserId === null ? "?" : room.displayName(row.byUserId),
    notes,
    id: row.id,
    list: tracks.join("\n"),
  };
  return { key: "recordings.details", params };
}

async function resend({ room, message }: Invocation, row: RecordingRow): Promise<Sentence> {
  await room.recordings.resend(row, message.sender);
  return { key: "recordings.resending", params: { number: row.number ?? 0 } };
}

async function keep({ room, message }: Invocation, row: RecordingRow, on: boolean): Promise<Sentence> {
  await room.recordings.keep(row, on, message.sender);
  const number = row.number ?? 0;
  if (on) return { key: "recordings.kept", params: { number } };
  const until = room.recordings.keptUntil({ ...row, keep: false, deleteWallMs: null });
  const day = until === null ? "∞" : dayOf(until);
  return { key: "recordings.unkept", params: { number, day } };
}

async function remove({ room, message }: Invocation, row: RecordingRow): Promise<Sentence> {
  const number = row.number ?? 0;
  if (!room.recordings.confirmed(number, message.sender)) {
    const params = { title: titleOf(row), prefix: room.prefix, number };
    return { key: "recordings.delete_ask", params };
  }
  await room.recordings.remove(row);
  return { key: "recordings.deleted", params: { number } };
}

/** "3: Interview (2026-11-23 14:05 UTC, 1:02:03) – in the room, 45 MB, kept until 2026-12-23" */
function lineOf(room: Invocation["room"], row: RecordingRow): Sentence {
  const until = room.recordings.keptUntil(row);
  const state = render({ key: STATES[row.state] }, room.language).text;
  const kept: Sentence = row.keep
    ? { key: "recordings.kept_on" }
    : until === null
      ? { key: "recordings.kept_ever" }
      : { key: "recordings.kept_until", params: { day: dayOf(until) } };
  const params = {
    number: row.number ?? "?",
    title: row.title ?? "–",
    when: momentOf(row.startedWallMs),
    length: row.durationMs === null ? "–" : clockTime(row.durationMs),
    state,
    size: row.bytes === null ? "–" : sizeOf(row.bytes),
    kept: render(kept, room.language).text,
  };
  return { key: "recordings.line", params };
}

/** Whoever started it, or moderates. */
function requireRight({ room, message }: Invocation, { byUserId }: RecordingRow): void {
  if (message.sender === byUserId || room.powerOf(message.sender) >= MODERATOR) return;
  throw new BotError("not_permitted", "neither a moderator nor who started it", {
    say: { key: "recordings.not_yours", params: { level: MODERATOR } },
  });
}
