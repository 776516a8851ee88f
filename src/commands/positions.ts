/** Which of `count` entries somebody means; from 0, in order, each once. */
export type Positions = { kind: "these"; indexes: number[] } | { kind: "not_there"; position: number };

/**
 * Reads places in a list as people write them, from 1: "3", "2-5", "5-2", "2,4-6", "2 4". Null when it is nothing of that
 * kind.
 */
export function parsePositions(text: string, count: number): Positions | null {
  const parts = text
    .replaceAll(/\s*[-–]\s*/g, "-")
    .split(/[\s,;]+/)
    .filter((part) => part !== "");
  const indexes = new Set<number>();
  for (const part of parts) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? [];
    if (first === undefined || last === undefined) return null;
    const [from, to] = [Math.min(Number(first), Number(last)), Math.max(Number(first), Number(last))];
    if (from < 1 || to > count) return { kind: "not_there", position: from < 1 ? from : to };
    for (let position = from; position <= to; position++) indexes.add(position - 1);
  }
  if (indexes.size === 0) return null;
  return { kind: "these", indexes: [...indexes].sort((a, b) => a - b) };
}
