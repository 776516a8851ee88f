import { readFile } from "node:fs/promises";
import { messageOf } from "../base/errors.ts";

/** The command line says something that cannot be done; the message says what. */
export class UsageError extends Error {}

// Tokens of people never come as the value of a flag: everybody on the machine can read command lines.
export const ADMIN_TOKEN = "MATRIX_ADMIN_TOKEN";
export const USER_TOKEN = "MATRIX_USER_TOKEN";
const MAX_TOKEN_CHARACTERS = 4096;

/** The token in a file or in the environment; null: in neither. Its text is in no message. @throws UsageError */
export async function readToken(file: string | undefined, variable: string): Promise<string | null> {
  const fromEnvironment = process.env[variable] ?? "";
  if (file === undefined && fromEnvironment === "") return null;
  const where = file ?? variable;
  let text = fromEnvironment;
  if (file !== undefined) {
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      throw new UsageError(`the token file cannot be read: ${messageOf(error)}`);
    }
  }
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_CHARACTERS) return token;
  throw new UsageError(`${where} must hold an access token and nothing else: one word of printable ASCII`);
}
