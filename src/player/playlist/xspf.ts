import sax from "sax";
import { BotError, messageOf } from "../../base/errors.ts";
import type { Steps } from "../../base/slices.ts";
import { Collected, type Entry } from "./collect.ts";
import type { RawPlaylist } from "./item.ts";

/** Elements within one another; XSPF itself needs four. */
const MAX_DEPTH = 32;
const MAX_TEXT = 8192;
/** Of the document, read at once. */
const PIECE = 4096;

/**
 * XSPF, version 0 and 1 (xspf.org/spec). A document type is refused, whatever it says: XSPF has none, and it is where
 * entities come from that grow or read files. What extensions hold is passed over.
 * @throws BotError `media_unreadable`
 */
export function* parseXspf(text: string): Steps<RawPlaylist> {
  const found = new Collected();
  const path: string[] = [];
  let track: XspfTrack | null = null;
  let content = "";
  const onText = (more: string): void => {
    if (content.length < MAX_TEXT) content += more.slice(0, MAX_TEXT);
  };
  const handlers: Partial<sax.SAXParser> = {
    onerror: (error) => {
      throw error;
    },
    ondoctype: () => {
      throw new Error("it has a document type");
    },
    onopentag: ({ name }) => {
      if (path.push(localName(name)) > MAX_DEPTH) throw new Error("too many elements in one another");
      if (nameOf(path) === "playlist/trackList/track") track = newTrack();
      content = "";
    },
    ontext: onText,
    oncdata: onText,
    onclosetag: () => {
      const where = nameOf(path);
      path.pop();
      if (where === "playlist/title") found.title = content;
      else if (where === "playlist/trackList/track" && track) {
        const { creator, title } = track;
        found.add({ ...track, title: creator !== "" && title !== null ? `${creator} – ${title}` : title });
        track = null;
      } else if (track && where.startsWith("playlist/trackList/track/")) note(track, where, content);
      content = "";
    },
  };
  const parser = Object.assign(sax.parser(true), handlers);
  const document = text.replace(/^\uFEFF/, "").trimStart();
  try {
    for (let at = 0; at < document.length; at += PIECE) {
      parser.write(document.slice(at, at + PIECE));
      yield;
    }
    parser.close();
  } catch (error) {
    // The library's messages have lines of their own, with what it has read.
    const [reason = ""] = messageOf(error).split("\n");
    throw new BotError("media_unreadable", `not XSPF: ${reason}`, {
      say: { key: "playlist.damaged" },
      cause: error,
    });
  }
  return found.result();
}

type XspfTrack = Entry & { creator: string };
const newTrack = (): XspfTrack => ({ location: "", title: null, durationMs: null, creator: "" });

/** The first of several places counts. */
function note(track: XspfTrack, where: string, content: string): void {
  const name = where.slice("playlist/trackList/track/".length);
  if (name === "location" && track.location === "") track.location = content;
  else if (name === "title") track.title = content;
  else if (name === "creator") track.creator = content.trim();
  else if (name === "duration") track.durationMs = Number.parseInt(content, 10);
}

/** Where an element stands; "" where nothing does that counts. */
const nameOf = (path: readonly string[]): string => (path.length <= 4 ? path.join("/") : "");

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);
