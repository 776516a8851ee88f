import { de } from "./de.ts";
import { en } from "./en.ts";
import type { MessageKey } from "./en.ts";

export type { MessageKey };
export type Language = "en" | "de";

/** A text for people, not yet in a language. Parameters are data: they are escaped when rendered. */
export interface Sentence {
  key: MessageKey;
  params?: Readonly<Record<string, string | number>>;
}

/** A rendered sentence: `text` for clients without HTML, `html` with everything from outside escaped. */
export interface Rendered {
  text: string;
  html: string;
}

const catalogues: Record<Language, Record<MessageKey, string>> = { en, de };

/**
 * Renders a sentence. Templates know `{name}` for parameters, `**bold**`, `` `code` `` and line breaks; parameters
 * are plain text, whatever characters they have.
 */
export function render(sentence: Sentence, language: Language = "en"): Rendered {
  const template = catalogues[language][sentence.key];
  const params = sentence.params ?? {};
  const fill = (part: string, encode: (value: string) => string): string =>
    part.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = params[name];
      return value === undefined ? whole : encode(String(value));
    });
  const text = fill(template.replaceAll(/\*\*|`/g, ""), (value) => stripControls(value));
  const html = fill(
    escapeHtml(template)
      .replaceAll(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
      .replaceAll(/`(.+?)`/g, "<code>$1</code>")
      .replaceAll("\n", "<br>"),
    (value) => escapeHtml(stripControls(value)).replaceAll("\n", "<br>"),
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

/** Drops control and bidirectional override characters, which would let a name rewrite the line around it. */
function stripControls(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replaceAll(
    /[\u0000-\u0009\u000b-\u001f\u007f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "",
  );
}
