import { render, type Sentence } from "../base/messages/catalogue.ts";
import type { MatrixSession } from "../matrix/session.ts";
import type { DeliveryRoom, RoomWishes } from "../recorder/delivery/room.ts";
import { OUTAGE_MS } from "../recorder/delivery/send-file.ts";
import type { RoomSettings } from "../settings/room-settings.ts";

export interface DeliveryRoomDeps {
  roomId: string;
  session: Pick<MatrixSession, "media" | "notice" | "file" | "edit">;
  settings: Pick<RoomSettings, "get">;
}

/** A room as recordings are delivered to it. */
export function deliveryRoom({ roomId, session, settings }: DeliveryRoomDeps): DeliveryRoom {
  const { media } = session;
  const text = (sentence: Sentence): ReturnType<typeof render> => render(sentence, settings.get("language"));
  return {
    roomId,
    get wishes(): RoomWishes {
      return {
        format: settings.get("record.format"),
        zip: settings.get("record.delivery") === "zip",
        language: settings.get("language"),
        keepDays: settings.get("record.keep-days"),
      };
    },
    uploadLimit: (signal) => media.uploadLimit(signal),
    upload: (path, options) => media.uploadFile(path, { ...options, patienceMs: OUTAGE_MS }),
    holds: (mxc, signal) => media.has(mxc, { signal }),
    post: ({ mxc, fileName, mimeType, bytes: size, audio }, txnId) =>
      session.file(roomId, { mxc, fileName, mimeType, size, audio }, txnId),
    say: (sentence, txnId) => session.notice(roomId, text(sentence), txnId),
    edit: (eventId, sentence) => session.edit(roomId, eventId, text(sentence)),
  };
}
