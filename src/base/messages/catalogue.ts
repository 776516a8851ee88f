import { cutText } from "../cut-text.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import type { MessageKey } from "./en.ts";

export type { MessageKey };
export type Language = "en" | "de";

/** A text for people, not yet in a language. Parameters are data: they are escaped when rendered. */
export interface Sentence {
  key: MessageKey;
  params?: Readonly<Record<string, string | number>>;
  /** Parameters that are sentences themselves, each a line, in the language of the one that they stand in. */
  parts?: Readonly<Record<string, readonly Sentence[]>>;
}

/** A rendered sentence: `text` for clients without HTML, `html` with everything from outside escaped. */
export interface Rendered {
  text: string;
  html: string;
}

/** Whether a key that came from elsewhere is one of ours. */
export const isMessageKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

const catalogues: Record<Language, Record<MessageKey, string>> = { en, de };

const GAP = /\{(\w+)(?:\?([^|{}]*)\|([^|{}]*))?\}/g;

/**
 * Renders a sentence. Templates know `{name}` for parameters, `**bold**`, `` `code` `` and line breaks; parameters
 * are plain text, whatever characters they have. `{count?track|tracks}` is the word for one, or for any other number.
 */
export function render(sentence: Sentence, language: Language = "en"): Rendered {
  const template = catalogues[language][sentence.key];
  const params: Record<string, string | number> = { ...sentence.params };
  for (const [name, parts] of Object.entries(sentence.parts ?? {}))
    params[name] = parts.map((part) => render(part, language).text).join("\n");
  const fill = (part: string, encode: (value: string) => string): string =>
    part.replaceAll(GAP, (whole, name: string, one?: string, many?: string) => {
      const value = params[name];
      if (value === undefined) return whole;
      return (Number(value) === 1 ? one : many) ?? encode(clean(name, String(value)));
    });
  const text = fill(template.replaceAll(/\*\*|`/g, ""), (value) => value);
  const html = fill(
    escapeHtml(template)
      .replaceAll(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
      .replaceAll(/`(.+?)`/g, "<code>$1</code>")
      .replaceAll("\n", "<br>"),
    (value) => escapeHtml(value).replaceAll("\n", "<br>"),
  );
  return { text, html };
}

/** Escapes text for HTML content and attribute values. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/**
 * A text of somebody else as one line that reads as it is: without control characters, bidirectional overrides and what is
 * not seen (but the joiners that scripts and emoji need), blanks as one, halves of characters gone.
 */
export function oneLine(value: string): string {
  return (
    value
      .replaceAll(/[\p{Z}\s]+/gu, " ")
      // With the u flag a surrogate only matches alone.
      .replaceAll(/[\p{Cc}\p{Cs}]|(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])\p{Cf}/gu, "")
      .trim()
  );
}

/** Parameters that are lists: each of their lines is one by intent. */
const LISTS: ReadonlySet<string> = new Set(["list", "names"]);
/** What somebody asked for is repeated to be recognised; UTF-16 units. */
const SHOWN_QUERY = 80;

function clean(name: string, value: string): string {
  if (name === "query" && value.length > SHOWN_QUERY) return `${oneLine(cutText(value, SHOWN_QUERY))}…`;
  return LISTS.has(name) ? value.split("\n").map(oneLine).join("\n") : oneLine(value);
}
