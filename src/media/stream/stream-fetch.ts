import type { GuardedFetch } from "../../fetch/guarded-fetch.ts";

/** The way to bytes of the network, as streams need it. */
export type StreamFetch = Pick<GuardedFetch, "open">;
