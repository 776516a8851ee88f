import { MAX_PLAYLIST_BYTES } from "./item.ts";

/**
 * The text of a playlist's bytes: UTF-8 where it is that, UTF-16 where it says so, else Windows-1252, as old programs write
 * them. Null when it is no text at all, or too long.
 */
export function playlistText(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_PLAYLIST_BYTES) return null;
  const text = decoded(bytes);
  return text.includes("\0") ? null : text;
}

function decoded(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
