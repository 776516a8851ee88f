// What `room create` and `room grant` print, for operators in a terminal. Pure.
import { oneLine, render } from "../base/messages/catalogue.ts";
import type { CreatedRoom, Invitation } from "./create.ts";
import type { Granted } from "./grant.ts";
import { missingSentence, type Missing } from "./missing.ts";
import { MODERATOR_LEVEL, OWNER_LEVEL, type RoomPlan } from "./new-room.ts";
import { differenceOf, type PowerChange } from "./power.ts";
import { exemptionCall } from "./rate-limit.ts";
import { linkTo } from "./room-ref.ts";

/** What became of the exemption from rate limits. */
export type Exemption =
  | { readonly kind: "not_asked" }
  | { readonly kind: "exempt"; readonly since: "now" | "before" }
  | { readonly kind: "failed"; readonly reason: string };

interface About {
  readonly botUserId: string;
  readonly serverName: string;
  readonly prefix: string;
  readonly exemption: Exemption;
}

const PROGRAM = "matrix-voice-bot";

/** In single quotes for a shell: room ids begin with `!`, which shells take for history. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export function reportCreated(created: CreatedRoom, plan: RoomPlan, about: About): string[] {
  const { roomId, isNew, changes, invitations } = created;
  const link = linkTo(roomId, about.serverName);
  const led = plan.moderators.length + plan.owners.length > 0;
  return [
    `${isNew ? "Made" : "There already:"} ${quoted(plan.name)} ${roomId}`,
    `  link           ${link}`,
    ...(isNew
      ? [
          "  encryption     none: the bot reads its commands in the clear",
          `  who may come   ${plan.public ? "everybody with the link" : `who is invited; inviting takes level ${MODERATOR_LEVEL}`}`,
          "  history        from when one came: the signalling in it names network addresses",
          "  voice channel  every member",
        ]
      : changes.map((change) => `  changed        ${describeChange(change)}`)),
    ...plan.owners.map((userId) => `  level ${OWNER_LEVEL}      ${oneLine(userId)}`),
    ...plan.moderators.map((userId) => `  level ${MODERATOR_LEVEL}       ${oneLine(userId)}`),
    ...invitations.map((invitation) => `  ${describeInvitation(invitation)}`),
    ...exemptionLines(about),
    "",
    "What to do next:",
    ...numbered([
      ...(led
        ? []
        : [
            `Say who leads the room: without somebody of level ${MODERATOR_LEVEL} nobody can ${about.prefix}record, ${about.prefix}stop or invite.\n${PROGRAM} room create --name ${shellWord(plan.name)} --moderator @you:${about.serverName}`,
          ]),
      `Start the bot if it is not running (${PROGRAM} run). It comes by itself.`,
      "Accept the invitation, or open the link, and join the room's voice channel.",
      `Say ${about.prefix}play and the name of a track, or ${about.prefix}help.`,
    ]),
  ];
}

export function reportGranted({ room, before, after, changes, outcome }: Granted, about: About): string[] {
  const title = `${room.name === null ? "" : `${quoted(room.name)} `}${room.id}`;
  const head = (text: string): string[] => [`${title}: ${text}`];
  const notes = [...left(after), ...exemptionLines(about)];
  if (outcome.kind === "nothing_to_do") {
    return [...head("nothing has to be changed for the voice channel."), ...notes];
  }
  const list = changes.map((change) => `  ${describeChange(change)}`);
  if (outcome.kind === "changed") return [...head(`changed by ${outcome.by}.`), ...list, ...notes];
  if (outcome.kind === "dry_run") {
    return [
      ...head(`${outcome.by} would change this (--dry-run: nothing was changed).`),
      ...list,
      ...exemptionLines(about),
    ];
  }
  return [
    ...head(`nothing was changed: that takes power level ${outcome.needed} there.`),
    ...before.map((missing) => `  ${sentence(missing)}`),
    "",
    `Somebody with level ${outcome.needed} has to set, in m.room.power_levels of the room, and leave everything else as it is:`,
    "",
    ...JSON.stringify(differenceOf(changes), null, 2)
      .split("\n")
      .map((line) => `  ${line}`),
    "",
    ...list,
    "",
    ...clicks(changes),
    "",
    "Or, with that person's access token in a file (it is used for this one change, and not kept):",
    `  ${PROGRAM} room grant ${shellWord(room.id)} --user-token-file FILE`,
    ...exemptionLines(about),
  ];
}

/** How to do it in Element, the client that most people have. */
function clicks(changes: readonly PowerChange[]): string[] {
  const users = changes.filter((change) => change.in === "users");
  const events = changes.filter((change) => change.in === "events");
  return [
    "In Element, on the web or the desktop:",
    ...numbered([
      ...users.map(({ key, to }) => `Send in the room: /op ${key} ${to}`),
      ...(events.length === 0
        ? []
        : [
            "Send in the room: /devtools",
            "Explore room state › m.room.power_levels › Edit",
            `Put into "events", before its first entry:\n${events.map(({ key, to }) => `${JSON.stringify(key)}: ${to},`).join("\n")}`,
            'If one of them stands there already, change its number instead. Then "Send".',
          ]),
    ]),
  ];
}

function describeChange({ in: part, key, from, inForce, to }: PowerChange): string {
  const now = from === null ? `${inForce} by default` : String(from);
  const lowered = part === "events" && from !== null ? ` (somebody had set ${from})` : "";
  const what = part === "users" ? `the level of ${oneLine(key)}` : `the level that ${key} takes`;
  return `${what}: ${now} → ${to}${lowered}`;
}

function describeInvitation({ userId, outcome, reason }: Invitation): string {
  if (outcome === "failed") return `not invited    ${oneLine(userId)}: ${oneLine(reason)}`;
  return outcome === "here" ? `invited before ${oneLine(userId)}` : `invited        ${oneLine(userId)}`;
}

function left(missing: readonly Missing[]): string[] {
  return missing.map((each) => `  still so: ${sentence(each)}`);
}

function exemptionLines({ exemption, botUserId }: About): string[] {
  if (exemption.kind === "exempt") {
    return [`  rate limits    ${botUserId} is exempt${exemption.since === "now" ? " from now on" : ""}`];
  }
  const by = `an administrator lifts them by --admin-token-file FILE, or ${exemptionCall(botUserId)}`;
  if (exemption.kind === "failed") {
    return [`  rate limits    not lifted: ${oneLine(exemption.reason)}`, `                 ${by}`];
  }
  return [
    `  rate limits    those of the homeserver; one busy room is fine with them`,
    `                 ${by}`,
  ];
}

function sentence(missing: Missing): string {
  return render(missingSentence(missing)).text;
}

/** A name may be anybody's: nothing of it reaches the terminal but what can be seen. */
function quoted(name: string): string {
  return `“${oneLine(name)}”`;
}

function numbered(steps: readonly string[]): string[] {
  return steps.flatMap((step, index) =>
    step.split("\n").map((line, number) => (number === 0 ? `  ${index + 1}. ${line}` : `     ${line}`)),
  );
}
