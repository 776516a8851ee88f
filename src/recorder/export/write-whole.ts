import { writeSync } from "node:fs";

/** Writes all of `bytes` at a place of a file: one call may take less than it is given. Synchronous, as the export child is. @returns their number */
export function writeWhole(file: number, bytes: Uint8Array, at: number): number {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
  return bytes.length;
}
