import { isPlaylistName } from "../playlist/item.ts";
import { formatOfType } from "../playlist/playlist.ts";
import type { UploadClaim } from "./resolver.ts";

/** By its name, or by a type that only playlists have. */
export const isPlaylistUpload = ({
  fileName,
  mimeType,
}: Pick<UploadClaim, "fileName" | "mimeType">): boolean =>
  isPlaylistName(fileName) || (mimeType !== null && formatOfType(mimeType) !== null);
