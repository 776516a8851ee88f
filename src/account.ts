import type { Config } from "./config/config.ts";

/** The token that speaks for the bot's account. */
export interface Account {
  /** Secret. */
  readonly accessToken: string;
}

/** The account that the configuration names. Commands that need a token take it from here, never from the configuration. */
export function openAccount(config: Config): Promise<Account> {
  return Promise.resolve({ accessToken: config.accessToken });
}
