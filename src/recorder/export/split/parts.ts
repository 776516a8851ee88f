export interface SplitOptions {
  /** Of each part, at most. */
  maxBytes: number;
  /** Where the part of that index, from 0, is to be. */
  path: (index: number) => string;
  /** How far the whole was read, in bytes. */
  onBytes: (bytes: number) => void;
}

export interface PartFile {
  path: string;
  bytes: number;
  durationMs: number;
}
