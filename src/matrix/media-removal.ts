import { apiPath, HomeserverError, type Homeserver } from "./homeserver.ts";
import { parseMxc } from "./media-client.ts";

/**
 * Deletes an upload from the homeserver, by Synapse's admin API ("Delete a specific local media").
 * @param admin with an administrator's token
 * @returns whether it is gone; false where we may not, or there is no such API. Never rejects.
 */
export async function removeMedia(admin: Homeserver, mxc: string): Promise<boolean> {
  const media = parseMxc(mxc);
  if (media === null) return false;
  try {
    await admin.request("DELETE", apiPath`/_synapse/admin/v1/media/${media.server}/${media.id}`);
    return true;
  } catch (error) {
    // Not there any more is what was wanted; where the API itself is missing, the code is another one.
    return error instanceof HomeserverError && error.errcode === "M_NOT_FOUND";
  }
}
