/** Case, accents and punctuation aside: "Für Élise_(live)" is "fur elise live". */
export function fold(text: string): string {
  // Most names are plain, and 50,000 of them are folded at a start.
  const plain = /^[\u0020-\u007e]*$/.test(text) ? text : text.normalize("NFKD").replaceAll(/\p{M}/gu, "");
  return plain
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** The words of a folded text, each once. */
export const foldedWords = (folded: string): string[] =>
  folded === "" ? [] : [...new Set(folded.split(" "))];

/** FNV-1a, 32 bit; 0 for nothing. */
export function hashOf(text: string): number {
  if (text.trim() === "") return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
