import type { Command } from "commander";
import { z } from "zod";
import { openAccount } from "../bot/account.ts";
import { BotError, messageOf } from "../base/errors.ts";
import { systemClock } from "../base/system-clock.ts";
import { withConfig } from "./config-command.ts";
import type { Config } from "../config/config.ts";
import { EXIT } from "./exit-codes.ts";
import { HomeserverError, type Homeserver } from "../matrix/homeserver.ts";
import { openHomeserver } from "../matrix/sdk-client.ts";
import { actorOf, type Actor } from "../room-admin/actor.ts";
import { createRoom } from "../room-admin/create.ts";
import { grantRoom } from "../room-admin/grant.ts";
import { patient } from "../room-admin/patience.ts";
import { exempt } from "../room-admin/rate-limit.ts";
import { reportCreated, reportGranted, shellWord, type Exemption } from "../room-admin/report.ts";
import { parseRoomRef, resolveRoom, userIdSchema } from "../room-admin/room-ref.ts";
import { ADMIN_TOKEN, readToken, USER_TOKEN, UsageError } from "./token-file.ts";

const users = z.array(userIdSchema).max(100).default([]);
const createOptions = z.object({
  name: z
    .string()
    .trim()
    .min(1, "--name must not be empty")
    .max(255, "--name has at most 255 characters")
    .default("Voice"),
  invite: users,
  moderator: users,
  owner: users,
  public: z.boolean().default(false),
  another: z.boolean().default(false),
  adminTokenFile: z.string().optional(),
});
const grantOptions = z.object({
  dryRun: z.boolean().default(false),
  userTokenFile: z.string().optional(),
  adminTokenFile: z.string().optional(),
});

/** Adds `room create` and `room grant`. */
export function addRoomCommand(program: Command): void {
  const room = program.command("room").description("Make a voice room, or make a room one.");
  const adminFlag = [
    "--admin-token-file <file>",
    `also exempt the bot from rate limits, by an administrator's token in a file (or in ${ADMIN_TOKEN}; Synapse)`,
  ] as const;
  withConfig(
    room
      .command("create")
      .description(
        "Make a room for voice, without encryption (the bot reads commands in the clear), and invite people. Given twice, it goes on with the room of that name.",
      )
      .option("--name <name>", 'what the room is called (default: "Voice")')
      .option("--invite <user...>", "whom to invite, e.g. @ada:example.org")
      .option("--moderator <user...>", "whom to invite with level 50: may record, stop, invite, kick")
      .option("--owner <user...>", "whom to invite with level 100: may also change the power levels")
      .option("--public", "everybody with the link may come; else only who is invited")
      .option("--another", "make a new one even if there is one of that name")
      .option(...adminFlag),
    (config, command) => guarded(() => create(config, command)),
  );
  withConfig(
    room
      .command("grant")
      .argument("<room>", "the room's id, alias or matrix.to link")
      .description(
        "Set the power levels that a room's voice channel needs, and nothing else; or print what a moderator has to set.",
      )
      .option("--dry-run", "only say what would be changed")
      .option(
        "--user-token-file <file>",
        `where the bot may not: the access token of somebody who may (or in ${USER_TOKEN})`,
      )
      .option(...adminFlag),
    (config, command) => guarded(() => grant(config, command)),
  );
}

async function create(config: Config, command: Command): Promise<number> {
  const { name, invite, moderator, owner, another, ...options } = decode(createOptions, command.opts());
  const admin = await openAdmin(config, options.adminTokenFile);
  const bot = await openBot(config);
  const exemption = await exemptBy(admin, bot.userId);
  const plan = { name, public: options.public, moderators: moderator, owners: owner };
  const created = await createRoom({ bot, plan, invite, another });
  const { userId: botUserId, serverName } = bot;
  print(reportCreated(created, plan, { botUserId, serverName, prefix: config.commandPrefix, exemption }));
  const failed = created.invitations.some(({ outcome }) => outcome === "failed");
  return failed || exemption.kind === "failed" ? EXIT.failed : EXIT.ok;
}

async function grant(config: Config, command: Command): Promise<number> {
  const { dryRun, userTokenFile, adminTokenFile } = decode(grantOptions, command.opts());
  const text = command.args[0] ?? "";
  if (parseRoomRef(text) === null) {
    throw new UsageError(
      "ROOM must be a room id like '!abc:example.org' (in single quotes), an alias like '#voice:example.org', or a matrix.to link",
    );
  }
  const admin = await openAdmin(config, adminTokenFile);
  const userToken = await readToken(userTokenFile, USER_TOKEN);
  const bot = await openBot(config);
  const helper = userToken === null ? null : await actorOf(await open(config, userToken));
  const roomId = await resolveRoom(bot.homeserver, text);
  const { userId: botUserId, serverName } = bot;
  const granted = await grantRoom({ roomId, bot, helper, dryRun });
  const exemption: Exemption = dryRun ? { kind: "not_asked" } : await exemptBy(admin, botUserId);
  print(reportGranted(granted, { botUserId, serverName, prefix: config.commandPrefix, exemption }));
  if (granted.outcome.kind === "not_permitted") return EXIT.noPermission;
  const channel = granted.after.some(({ kind }) => kind === "bot_power");
  return (channel && !dryRun) || exemption.kind === "failed" ? EXIT.failed : EXIT.ok;
}

async function openBot(config: Config): Promise<Actor> {
  const { accessToken } = await openAccount(config);
  return actorOf(await open(config, accessToken));
}

async function open(config: Config, token: string): Promise<Homeserver> {
  const onWait = (seconds: number): void =>
    void process.stderr.write(`The homeserver asks to wait ${seconds} s (rate limit) …\n`);
  return patient(await openHomeserver(config.homeserverUrl, token), { clock: systemClock, onWait });
}

async function openAdmin(config: Config, file: string | undefined): Promise<Homeserver | null> {
  const token = await readToken(file, ADMIN_TOKEN);
  return token === null ? null : open(config, token);
}

async function exemptBy(admin: Homeserver | null, userId: string): Promise<Exemption> {
  if (admin === null) return { kind: "not_asked" };
  try {
    return { kind: "exempt", since: (await exempt(admin, userId)) ? "now" : "before" };
  } catch (error) {
    return { kind: "failed", reason: messageOf(error) };
  }
}

function decode<T>(schema: z.ZodType<T>, options: unknown): T {
  const decoded = schema.safeParse(options);
  if (decoded.success) return decoded.data;
  const problems = decoded.error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`);
  throw new UsageError([...new Set(problems)].join("; "));
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Runs a command; what goes wrong is one line with what to do, and an exit code. */
async function guarded(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    process.stderr.write(`matrix-voice-bot: ${explain(error)}\n`);
    if (error instanceof UsageError) return EXIT.usage;
    return error instanceof BotError && error.code === "forbidden" ? EXIT.noPermission : EXIT.failed;
  }
}

function explain(error: unknown): string {
  const text = messageOf(error);
  if (!(error instanceof BotError)) return text;
  if (error.code === "room_encrypted") {
    return `${text}. Encryption cannot be switched off; make a room without it: matrix-voice-bot room create --name ${shellWord("Voice")}`;
  }
  if (error instanceof HomeserverError && error.status === 401) {
    return `the homeserver does not accept the access token (${text})`;
  }
  if (error.code === "timeout") return `${text}. Give the same command again: it goes on where it was.`;
  return text;
}
