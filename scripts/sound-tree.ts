/**
 * "Why is there no sound?" of the README: a tree of questions whose leaves are what `!check` and `matrix-voice-bot check`
 * say, in their words. `npm run docs` prints it; test/unit/docs-sound.test.ts holds it to the tables of the code.
 */
import { en, type MessageKey } from "../src/base/messages/en.ts";

/** What `!check` says, by its sentence; or what one check of the program says to do, in words of its source. */
export type Leaf =
  { readonly says: MessageKey } | { readonly check: string; readonly todo: string; readonly before: string };

export interface Branch {
  /** Markdown. */
  readonly when: string;
  readonly leaves: readonly Leaf[];
}

const says = (...keys: MessageKey[]): Leaf[] => keys.map((key) => ({ says: key }));
/** @param before words of ours, where those of the check alone are no sentence */
const look = (check: string, todo: string, before = ""): Leaf => ({ check, todo, before });

export const SOUND_TREE: readonly Branch[] = [
  {
    when: "**Nobody answers `!check`.** The bot does not run, or does not see the room. On its machine run `matrix-voice-bot check` with the settings of the bot, and mend each ✗, the first one first:",
    leaves: [
      look(
        "configuration",
        "every setting is known and has a value that can be used",
        "mend what it names, until ",
      ),
      look("homeserver", "Is the server up, and may this machine reach it?"),
      look(
        "account",
        "log in again as the bot and set VOICEBOT_ACCESS_TOKEN, or VOICEBOT_USER_ID and VOICEBOT_PASSWORD",
      ),
      look(
        "instance",
        "Another bot uses this token: stop it, or log in once more for a token (and device) of its own.",
      ),
      look("rooms", "into a room without encryption, or: matrix-voice-bot room create", "Invite the bot "),
      look("data", "Give it to the user that the bot runs as: chown -R <user>"),
      look("engine", "Its native part does not fit this machine: run npm ci again here"),
    ],
  },
  {
    when: "**It answers, and something under its first line is about itself**, without a name before it:",
    leaves: [
      ...says("room.encrypted", "missing.bot_channel", "missing.bot_talk"),
      ...says("missing.members_channel", "missing.members_talk"),
      ...says("check.bot_out", "check.bot_joining", "check.plane_down", "check.plane_silent"),
      ...says("check.sync_late", "check.outbox_stuck", "check.rate_limited", "check.machine_busy"),
      ...says(
        "check.nobody_there",
        "check.nobody_hears",
        "check.volume_zero",
        "check.paused",
        "check.recording",
      ),
      look(
        "rate_limit",
        "Run this again with --admin-token-file. The call that exempts the bot (Synapse), by an administrator",
      ),
    ],
  },
  {
    when: "**Somebody is not connected**, or not any more (✗ before the name):",
    leaves: [
      ...says("check.never_offered", "check.no_answer", "check.interrupted"),
      ...says("check.answer_limited", "check.answer_late"),
      ...says("check.no_way", "check.no_way_relay", "check.private"),
      look("ports", "Every member of every channel takes one: make the range larger"),
      look(
        "addresses",
        "a TURN server, or forward the ports of VOICEBOT_ICE_PORTS and set VOICEBOT_ICE_ANNOUNCE",
      ),
      look("stun", "Is it up, and does a firewall let UDP to it pass?"),
      look("turn", "set up coturn, and name it in the homeserver's turn_uris or in VOICEBOT_ICE_SERVERS"),
      look("ice", "Does a firewall on this machine forbid UDP? Are the ports of VOICEBOT_ICE_PORTS free?"),
      look("clock", "synchronise the clocks of both machines"),
    ],
  },
  {
    when: "**Somebody is connected and does not hear the bot well**, or not at all:",
    leaves: says("check.unheard", "check.loss_out", "check.slow", "check.jitter"),
  },
  {
    when: "**The bot (and so a recording) does not hear somebody**:",
    leaves: says(
      ...(["check.sends_nothing", "check.sent_nothing_since", "check.muted", "check.heard_nothing"] as const),
      ...(["check.quiet", "check.loud", "check.loss_in"] as const),
    ),
  },
  {
    when: "**All are ✓, and `!play` does not start a track**: its answer says why. In the end it is one of",
    leaves: [
      look("ffmpeg", "On Debian: apt-get install ffmpeg. Or name it: VOICEBOT_FFMPEG_PATH."),
      look(
        "media",
        "Put audio files there or name another folder: VOICEBOT_MEDIA_DIR. Uploads play all the same.",
      ),
      look("ytdlp", "Update it: python3 -m pip install --upgrade yt-dlp, or yt-dlp -U."),
    ],
  },
  {
    when: "**All are ✓, `!np` says that it plays, and somebody hears nothing**: it is on their side. Is the browser's tab muted, the right output chosen, the volume up? Leaving the channel and joining again takes a new connection.",
    leaves: [],
  },
];

/** Values that stand for what a sentence is told: an example of each. */
const EXAMPLES: Readonly<Record<string, string>> = {
  ...{ name: "Robin", time: "20 s", prefix: "!", count: "3", percent: "12", ms: "700", level: "-60" },
  ...{ event: "de.mtorials.test.callstate", needed: "50", actual: "0", suggested: "0" },
  userId: "@voicebot:example.org",
};

/** A sentence as Markdown, with examples for its parameters. @throws when there is none for one */
export function exampleOf(key: MessageKey): string {
  const examples: Readonly<Record<string, string>> = {
    ...EXAMPLES,
    ...(key.endsWith("_talk") ? { event: "m.room.message" } : {}),
    ...(key === "check.loud" ? { level: "-5" } : {}),
  };
  return en[key].replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = examples[name];
    if (value === undefined) throw new Error(`no example for {${name}} of ${key}`);
    return value;
  });
}

/** The tree as a nested list. */
export function soundTree(): string {
  return SOUND_TREE.map(({ when, leaves }, index) => {
    const indent = " ".repeat(`${index + 1}. `.length);
    const lines = leaves.map((leaf) =>
      "says" in leaf
        ? `${indent}- “${exampleOf(leaf.says)}”`
        : `${indent}- \`${leaf.check}\` in \`check\`: ${leaf.before}“${leaf.todo.replaceAll("<", String.raw`\<`)}”`,
    );
    return [`${index + 1}. ${when}`, ...lines].join("\n");
  }).join("\n");
}
