import { resolve } from "node:path";
import { z } from "zod";
import { openAccount } from "../bot/account.ts";
import { BotError } from "../base/errors.ts";
import { systemClock } from "../base/system-clock.ts";
import type { CheckContext } from "../check/context.ts";
import { need, once } from "../check/context.ts";
import { CHECKS } from "../check/list.ts";
import { exitCodeOf, jsonOf, summaryOf, textOf } from "../check/report.ts";
import { runChecks } from "../check/run-checks.ts";
import { readVersions } from "../check/versions.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import { EXIT } from "./exit-codes.ts";
import { configuredServers } from "../bot/ice-servers.ts";
import type { Homeserver } from "../matrix/homeserver.ts";
import { openHomeserver } from "../matrix/sdk-client.ts";
import { readTurnServers } from "../matrix/turn.ts";
import { Progress } from "./progress.ts";
import { DataLock } from "../store/data-lock.ts";
import { ADMIN_TOKEN, readToken, UsageError } from "./token-file.ts";

const whoamiSchema = z.object({ user_id: z.string(), device_id: z.string().optional() });

export interface CheckOptions {
  json?: boolean;
  adminTokenFile?: string;
}

/** `matrix-voice-bot check`. @returns the exit code */
export async function check(loaded: LoadedConfig, options: CheckOptions): Promise<number> {
  const { json = false, adminTokenFile } = options;
  let adminToken: string | null;
  try {
    adminToken = await readToken(adminTokenFile, ADMIN_TOKEN);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  const { stdout } = process;
  const colours = stdout.isTTY && stdout.hasColors();
  const progress = new Progress(stdout);
  let done = 0;
  const showProgress = (): void => {
    if (!json && done < CHECKS.length)
      progress.show(`Looking at what the bot needs: ${done} of ${CHECKS.length} …`);
  };
  showProgress();
  const results = await runChecks(CHECKS, makeContext(loaded, adminToken, stop.signal), (result) => {
    done++;
    if (json) return;
    progress.clear();
    stdout.write(textOf(result, { colours }));
    showProgress();
  });
  if (!json) progress.clear();
  stdout.write(json ? jsonOf(results) : `${summaryOf(results)}\n`);
  const interrupted = stop.signal.aborted;
  // What was too late to be of use need not keep us.
  stop.abort();
  return interrupted ? EXIT.failed : exitCodeOf(results);
}

function makeContext(loaded: LoadedConfig, adminToken: string | null, signal: AbortSignal): CheckContext {
  const config = loaded.ok ? loaded.config : loaded.partial;
  const clock = systemClock;
  const url = (): string => need({ config }, "homeserverUrl");
  const homeserver = once(async (): Promise<Homeserver> => {
    // Only these decide about the account; if they are right, it does not matter that others are not.
    const account = {
      ...{ homeserverUrl: url(), accessToken: need({ config }, "accessToken") },
      ...{ userId: need({ config }, "userId"), password: need({ config }, "password") },
      dataDir: need({ config }, "dataDir"),
    } satisfies Partial<Config>;
    const { accessToken } = await openAccount(account, { signal });
    return openHomeserver(url(), accessToken);
  });
  return {
    ...{ config, clock, signal, homeserver },
    problems: loaded.ok ? [] : loaded.problems,
    versions: once(() => readVersions(url(), clock, signal)),
    identity: once(async () => {
      const answer = await (
        await homeserver()
      ).request("GET", "/_matrix/client/v3/account/whoami", { signal });
      const decoded = whoamiSchema.safeParse(answer);
      if (!decoded.success) throw new BotError("homeserver", "its answer about the account is malformed");
      return { userId: decoded.data.user_id, deviceId: decoded.data.device_id ?? null };
    }),
    admin: once(async () => (adminToken === null ? null : openHomeserver(url(), adminToken))),
    ice: () => {
      const portRange = need({ config }, "icePorts");
      return {
        allowPrivate: need({ config }, "iceAllowPrivate"),
        announce: [...need({ config }, "iceAnnounce")],
        localSubnets: [...need({ config }, "iceLocalSubnets")],
        ...(portRange ? { portRange: [portRange[0], portRange[1]] } : {}),
      };
    },
    configuredServers: () => {
      const iceServers = need({ config }, "iceServers");
      return configuredServers(
        { iceServers, iceTurnSecret: need({ config }, "iceTurnSecret") },
        clock.wall(),
      );
    },
    offeredServers: once(async () => (await readTurnServers(await homeserver(), signal)).servers),
    running: once(async () => DataLock.isTaken(resolve(need({ config }, "dataDir")))),
  };
}
