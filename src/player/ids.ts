import { randomBytes } from "node:crypto";

/** A name for a track that no other track of the bot ever has. */
export const newTrackId = (): string => `t${randomBytes(9).toString("base64url")}`;
