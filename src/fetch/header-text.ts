/** A header's text as it was meant: Node reads bytes as Latin-1, and servers of today write UTF-8. */
export function headerText(latin1: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    return latin1;
  }
}
