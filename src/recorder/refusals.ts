import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";

// What a recorder does not do, and how people are told.

export const notRecording = (): BotError =>
  new BotError("not_recording", "not recording", { say: { key: "record.none" } });

/** @param elapsedMs of the recording that runs */
export const alreadyRecording = (elapsedMs: number): BotError =>
  new BotError("already_recording", "already recording", {
    say: { key: "record.already", params: { length: clockTime(elapsedMs) } },
  });

export const pausedAlready = (): BotError =>
  new BotError("bad_command", "paused already", { say: { key: "record.paused_already" } });

export const notPaused = (): BotError =>
  new BotError("bad_command", "not paused", { say: { key: "record.not_paused" } });

export const tooManyNotes = (): BotError =>
  new BotError("queue_full", "too many notes", { say: { key: "record.notes_full" } });
