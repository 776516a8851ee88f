import type { Rendered } from "../base/messages/catalogue.ts";

type Content = Record<string, unknown>;

/** A notice (no client pings for one) that mentions nobody, in plain text and HTML. */
export function noticeContent(message: Rendered): Content {
  return {
    msgtype: "m.notice",
    body: message.text,
    // Without HTML in it, the plain text is all there is to show.
    ...(message.html === message.text
      ? {}
      : { format: "org.matrix.custom.html", formatted_body: message.html }),
    "m.mentions": {},
  };
}

/**
 * A notice that answers an event, without the quoted fallback that old clients would show twice.
 * @param thread root of the thread that the event is in, where the answer belongs, too (spec, "Threading"); null: none
 */
export function replyContent(toEventId: string, message: Rendered, thread: string | null = null): Content {
  const relation = { "m.in_reply_to": { event_id: toEventId } };
  const inThread = thread === null ? {} : { rel_type: "m.thread", event_id: thread, is_falling_back: false };
  return { ...noticeContent(message), "m.relates_to": { ...inThread, ...relation } };
}

/** A new text for an own notice. Clients that do not know edits show it with a star. */
export function editContent(eventId: string, message: Rendered): Content {
  const content = noticeContent(message);
  return {
    ...content,
    body: `* ${message.text}`,
    ...("formatted_body" in content ? { formatted_body: `* ${message.html}` } : {}),
    "m.new_content": content,
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  };
}

export interface FileMessage {
  mxc: string;
  /** What it is called in the room and when saved. */
  fileName: string;
  mimeType: string;
  /** Bytes. */
  size: number;
  /** For sound; `durationMs` null: not known; `waveform`: values from 0 to 1024 over its length, null: none. */
  audio: { durationMs: number | null; waveform: readonly number[] | null } | null;
}

/**
 * A file in the room, sound as m.audio, with the fields of extensible events (MSC1767, MSC3246) as clients read them:
 * durations in ms, the waveform from 0 to 1024.
 */
export function fileContent({ mxc, fileName, mimeType, size, audio }: FileMessage): Content {
  const duration = audio?.durationMs == null ? {} : { duration: Math.round(audio.durationMs) };
  return {
    msgtype: audio ? "m.audio" : "m.file",
    body: fileName,
    filename: fileName,
    url: mxc,
    info: { mimetype: mimeType, size, ...duration },
    "org.matrix.msc1767.text": fileName,
    "org.matrix.msc1767.file": { url: mxc, name: fileName, mimetype: mimeType, size },
    ...(audio
      ? {
          "org.matrix.msc1767.audio": {
            ...duration,
            ...(audio.waveform ? { waveform: audio.waveform.map((value) => Math.round(value)) } : {}),
          },
        }
      : {}),
    "m.mentions": {},
  };
}
