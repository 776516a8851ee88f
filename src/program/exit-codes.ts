/** Exit codes of the program, after sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 64,
  /** What it should work on cannot be read. */
  data: 65,
  /** Another instance uses the data folder. */
  busy: 75,
  /** The homeserver refuses us for good (the token is not valid any more). */
  noPermission: 77,
  config: 78,
} as const;

/** What each exit code means, for help and documentation. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done, or stopped by SIGTERM or SIGINT",
  failed:
    "it failed; the last line says why. check: something needs mending. recordings: one is damaged, and of use",
  usage: "the command line is not understood",
  data: "recordings: there is none of this name, or it cannot be read",
  busy: "another instance uses the data folder",
  noPermission: "the homeserver refuses token or password",
  config: "the configuration is wrong; every wrong key is named",
};
