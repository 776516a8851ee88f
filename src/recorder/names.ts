const MAX_CHARACTERS = 80;
/** File systems limit names in bytes; the rest is for an ending and a number. */
const MAX_BYTES = 200;

/**
 * A person's name as a file name: what is a separator, reserved (Windows), invisible or turns text around is gone, and it
 * never is a path, hidden or empty. Letters of any language and emoji stay.
 */
export function safeName(name: string): string {
  const plain = withoutTricks(name)
    .replaceAll(/[/\\:*?"<>|]/g, "_")
    // Nor the option of a program that is given it.
    .replaceAll(/^[\s.-]+|[\s.\u200d]+$/g, "");
  const cut = clip(plain).replaceAll(/[\s.\u200d]+$/g, "");
  if (cut === "") return "unknown";
  // Windows takes the name of a device for it whatever comes behind a dot.
  return cut.replace(/^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?=\s*(?:\.|$))/i, "$1_");
}

/** A person's name as a title: one line of at most 80 characters, with nothing in it that is invisible or turns text around. */
export function safeTitle(name: string): string {
  return clip(withoutTricks(name).trim()) || "unknown";
}

function withoutTricks(name: string): string {
  return (
    name
      .normalize("NFC")
      .replaceAll(/\s+/g, " ")
      // Controls, format characters (bidi, zero width; but the joiner inside of emoji), lone surrogates, unassigned.
      .replaceAll(/[\p{Cc}\p{Cs}\p{Co}\p{Cn}]|(?!\u200d)\p{Cf}/gu, "")
  );
}

const characters = new Intl.Segmenter();

/** The beginning of a text, cut between characters as people see them. */
export function clip(text: string, maxCharacters = MAX_CHARACTERS, maxBytes = MAX_BYTES): string {
  let kept = "";
  let bytes = 0;
  for (const { segment } of characters.segment(text)) {
    bytes += Buffer.byteLength(segment);
    // A character may be as long as who made it wants.
    if (bytes > maxBytes || kept.length + segment.length > maxCharacters) break;
    kept += segment;
  }
  return kept;
}

/** One file name for each of `names`, in order, all different even where case and composition do not count. */
export function fileNames(names: readonly string[], ending: string): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const safe = safeName(name);
    let candidate = safe;
    for (let number = 2; taken.has(folded(candidate)); number++) candidate = `${safe} (${number})`;
    taken.add(folded(candidate));
    return candidate + ending;
  });
}

const folded = (name: string): string => name.normalize("NFKC").toLowerCase();
