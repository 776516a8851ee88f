import { cutText } from "../base/cut-text.ts";
import { clockTime, shortTime } from "../base/duration.ts";
import { oneLine, render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import type { PersonReport } from "../recorder/listener.ts";
import type { RecordingReport } from "../recorder/live-ports.ts";
import { DISCARD_WITHIN_MS } from "../recorder/recorder.ts";
import { ensureInChannel } from "./channel-commands.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { sizeText } from "./format.ts";
import { usageOf } from "./usage.ts";

const MAX_TITLE = 200;
const MAX_NOTE = 500;
const PEOPLE_SHOWN = 20;
/** Lost packets that are heard. */
const LOSSY = 0.05;
/** So long a person who speaks may be silent and still counts as heard. */
const HEARD_WITHIN_MS = 10_000;

type Act = (invocation: Invocation, rest: string) => Promise<Sentence | null> | Sentence | null;

const ACTS = new Map<string, { power: number; act: Act }>(
  Object.entries({
    // The recorder itself tells the room about most of it: everybody has to know, whoever asked.
    start: {
      power: MODERATOR,
      async act(invocation, title) {
        await ensureInChannel(invocation, "record start");
        const { room, message } = invocation;
        await room.recorder.start(
          { userId: message.sender },
          title === "" ? null : cutText(title, MAX_TITLE),
        );
        return null;
      },
    },
    stop: {
      power: MODERATOR,
      async act({ room, message }) {
        await room.recorder.stop("command", message.sender);
        return null;
      },
    },
    pause: {
      power: MODERATOR,
      async act({ room, message }) {
        await room.recorder.pause(message.sender);
        return null;
      },
    },
    resume: {
      power: MODERATOR,
      act({ room, message }) {
        room.recorder.unpause(message.sender);
        return null;
      },
    },
    discard: {
      power: MODERATOR,
      async act({ room, message }) {
        if (await room.recorder.discard(message.sender)) return null;
        const seconds = Math.round(DISCARD_WITHIN_MS / 1000);
        return { key: "record.discard_ask", params: { seconds, prefix: room.prefix } };
      },
    },
    note: {
      power: 0,
      act({ room, message }, text) {
        if (text === "") throw usageOf(recordCommand, room);
        const atMs = room.recorder.note(cutText(text, MAX_NOTE), message.sender);
        return { key: "record.noted", params: { at: clockTime(atMs) } };
      },
    },
    status: { power: 0, act: ({ room }) => status(room) },
  } satisfies Record<string, { power: number; act: Act }>),
);

export const recordCommand: Command = {
  name: "record",
  aliases: ["rec"],
  usage: "start [{title}]|stop|pause|resume|status|note <{text}>|discard",
  help: "help.record",
  power: ({ args }) => ACTS.get(split(args).word)?.power ?? MODERATOR,
  order: "turn",
  run(invocation) {
    const { word, rest } = split(invocation.args);
    const found = ACTS.get(word);
    // Only what has a title or a text takes anything behind its name.
    if (!found || (rest !== "" && word !== "start" && word !== "note")) {
      throw usageOf(recordCommand, invocation.room);
    }
    return found.act(invocation, rest);
  },
};

function split(args: string): { word: string; rest: string } {
  const [word = ""] = args.split(/\s/, 1);
  return { word: word.toLowerCase() || "start", rest: oneLine(args.slice(word.length)) };
}

async function status({ recorder, language }: Invocation["room"]): Promise<Sentence> {
  const report = await recorder.report();
  if (report) return reportOf(report, language);
  const now = recorder.status();
  if (now.phase === "interrupted") return { key: "record.interrupted" };
  if (now.phase === "exporting") return { key: "record.exporting", params: { percent: now.percent } };
  return { key: "record.none" };
}

function reportOf(report: RecordingReport, language: Language): Sentence {
  const { title, elapsedMs, pausedForMs, gapForMs, tracks, bytes, freeBytes, people } = report;
  const lines: Sentence[] = [];
  if (pausedForMs !== null) {
    lines.push({ key: "record.status_paused", params: { length: shortTime(pausedForMs) } });
  } else if (gapForMs !== null) {
    lines.push({ key: "record.status_gap", params: { length: shortTime(gapForMs) } });
  }
  if (people.length === 0) lines.push({ key: "record.status_nobody" });
  lines.push(...people.slice(0, PEOPLE_SHOWN).map(lineOf));
  const more = people.length - PEOPLE_SHOWN;
  if (more > 0) lines.push({ key: "record.status_more", params: { count: more } });
  const list = lines.map((line) => render(line, language).text).join("\n");
  const params = { length: clockTime(elapsedMs), count: tracks, list };
  const sizes = { size: sizeText(bytes), free: sizeText(freeBytes) };
  if (title === null) return { key: "record.status", params: { ...params, ...sizes } };
  return { key: "record.status_titled", params: { ...params, ...sizes, title } };
}

function lineOf(person: PersonReport): Sentence {
  const { name, recorded, connected, soundAgeMs, levelDbfs, clippedRecently, missedRecently } = person;
  if (!recorded) return { key: "record.status_out", params: { name } };
  if (!connected) return { key: "record.status_unconnected", params: { name } };
  if (soundAgeMs === null) return { key: "record.status_never", params: { name } };
  if (soundAgeMs > HEARD_WITHIN_MS || levelDbfs === null) {
    return { key: "record.status_silent", params: { name, length: shortTime(soundAgeMs) } };
  }
  const level = Math.round(levelDbfs);
  if ((missedRecently ?? 0) >= LOSSY) {
    const percent = Math.round((missedRecently ?? 0) * 100);
    return { key: "record.status_lossy", params: { name, level, percent } };
  }
  if ((clippedRecently ?? 0) > 0) return { key: "record.status_distorted", params: { name, level } };
  return { key: "record.status_heard", params: { name, level } };
}
