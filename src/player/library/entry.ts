/** What a file says of itself. */
export interface Tags {
  readonly title: string | null;
  readonly artist: string | null;
  readonly album: string | null;
  readonly durationMs: number | null;
}

/** By which it is seen that a file is another than it was: its bytes, and when it was last written (ms since 1970). */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/** A file of the media folder. */
export interface Entry extends Stamp {
  /** Below the folder, with slashes. */
  readonly path: string;
  /** Null as long as nobody has looked; then what was found, also when that is nothing. */
  readonly tags: Tags | null;
}

export const NO_TAGS: Tags = { title: null, artist: null, album: null, durationMs: null };
