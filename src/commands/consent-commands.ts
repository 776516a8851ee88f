import type { Sentence } from "../base/messages/catalogue.ts";
import type { Removed } from "../recorder/consent/removal.ts";
import type { Command, Invocation } from "./command.ts";
import { usageOf } from "./usage.ts";

const words = (args: string): Set<string> => new Set(args.toLowerCase().split(/\s+/).filter(Boolean));

/** Everybody for themselves, and nobody for anybody else: it is about who sent the message. */
const optout: Command = {
  name: "optout",
  aliases: [],
  usage: "[always] [delete]",
  help: "help.optout",
  power: 0,
  order: "once",
  urgent: true,
  pinned: true,
  async run({ room, message, args }: Invocation): Promise<Sentence> {
    const asked = words(args);
    const always = asked.delete("always");
    const remove = asked.delete("delete");
    if (asked.size > 0) throw usageOf(optout, room);
    const { consent, prefix } = room;
    const running = consent.recording;
    await consent.optOut(message.sender, always ? "room" : "recording");
    if (remove) return removedSentence(await consent.remove(message.sender));
    const key = always ? "consent.out_room" : running ? "consent.out_recording" : "consent.out_next";
    return { key, params: { prefix } };
  },
};

const optin: Command = {
  name: "optin",
  aliases: [],
  usage: "[always]",
  help: "help.optin",
  power: 0,
  pinned: true,
  order: "once",
  async run({ room, message, args }) {
    const asked = words(args);
    const always = asked.delete("always");
    if (asked.size > 0) throw usageOf(optin, room);
    const { consent, prefix } = room;
    const running = consent.recording;
    await consent.optIn(message.sender, always ? "room" : "recording");
    const key = always ? "consent.in_room" : running ? "consent.in_recording" : "consent.in_next";
    return { key, params: { prefix } };
  },
};

export const consentCommands: readonly Command[] = [optout, optin];

function removedSentence({ recordings, files, sent }: Removed): Sentence {
  if (files === 0 && sent === 0) return { key: "consent.deleted_nothing" };
  if (sent > 0) return { key: "consent.deleted_some", params: { count: recordings, files, sent } };
  return { key: "consent.deleted", params: { count: recordings, files } };
}
