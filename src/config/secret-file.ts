import { closeSync, openSync, readSync } from "node:fs";

const MAX_BYTES = 64 * 1024;

/**
 * The secret that a file holds, without the newline at its end.
 * @throws Error whose message completes "KEY …" and has nothing of the content
 */
export function readSecretFile(path: string): string {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  try {
    const descriptor = openSync(path, "r");
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Error(`names a file that cannot be read (${REASONS[code] ?? code})`, { cause: error });
  }
  if (length > MAX_BYTES) throw new Error(`names a file of over ${MAX_BYTES} bytes`);
  const text = buffer.toString("utf8", 0, length).replace(/\r?\n$/, "");
  if (text === "") throw new Error("names an empty file");
  return text;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is none",
  EACCES: "no permission",
  EISDIR: "it is a folder",
};
