/** Exit codes of the program, after sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 64,
  /** The homeserver refuses us for good (the token is not valid any more). */
  noPermission: 77,
  config: 78,
} as const;
