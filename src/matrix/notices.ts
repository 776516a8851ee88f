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

/** A notice that answers an event, without the quoted fallback that old clients would show twice. */
export function replyContent(toEventId: string, message: Rendered): Content {
  return { ...noticeContent(message), "m.relates_to": { "m.in_reply_to": { event_id: toEventId } } };
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

export interface AudioMessage {
  mxc: string;
  /** What it is called in the room and when saved. */
  fileName: string;
  mimeType: string;
  /** Bytes. */
  size: number;
  /** null: not known. */
  durationMs: number | null;
  /** The event that it answers. */
  replyTo?: string;
}

/** An audio file in the room (m.audio, with the duration in ms). */
export function audioContent(audio: AudioMessage): Content {
  return {
    msgtype: "m.audio",
    body: audio.fileName,
    filename: audio.fileName,
    url: audio.mxc,
    info: {
      mimetype: audio.mimeType,
      size: audio.size,
      ...(audio.durationMs === null ? {} : { duration: Math.round(audio.durationMs) }),
    },
    "m.mentions": {},
    ...(audio.replyTo === undefined
      ? {}
      : { "m.relates_to": { "m.in_reply_to": { event_id: audio.replyTo } } }),
  };
}
