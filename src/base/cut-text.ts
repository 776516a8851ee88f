/** The beginning of a text: at most so many UTF-16 units, cut between characters as people see them. */
export function cutText(text: string, units: number): string {
  if (text.length <= units) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, units + 1))) {
    if (kept.length + segment.length > units) break;
    kept += segment;
  }
  return kept;
}
