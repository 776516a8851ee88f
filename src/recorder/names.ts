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
  return /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(cut) ? `${cut}_` : cut;
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

/** Cuts between characters as people see them. */
function clip(text: string): string {
  let kept = "";
  let count = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (count >= MAX_CHARACTERS || Buffer.byteLength(kept + segment) > MAX_BYTES) break;
    if (kept.length + segment.length > MAX_CHARACTERS) break;
    kept += segment;
    count++;
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
