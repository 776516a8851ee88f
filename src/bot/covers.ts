import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { MediaClient } from "../matrix/media-client.ts";
import { Covers } from "../player/cover/covers.ts";

/** The covers of all rooms' cards, uploaded to the bot's homeserver. */
export function roomCovers(options: {
  media: Pick<MediaClient, "uploadFile" | "has">;
  dataDir: string;
  clock: Clock;
  log: Log;
}): Covers {
  const { media, ...rest } = options;
  return new Covers({
    ...rest,
    upload: (path, signal) =>
      media.uploadFile(path, { mimeType: "image/jpeg", fileName: "cover.jpg", signal }),
    has: (mxc, signal) => media.has(mxc, { signal }),
  });
}
