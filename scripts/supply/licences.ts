import type { Policy } from "./policy.ts";
import type { Package } from "./tree.ts";

/** What is wrong with the licences of what ships, a line each: one that is not allowed, an exception without a use. */
export function judgeLicences(
  packages: readonly Package[],
  { allowed, exceptions }: Policy["licences"],
): string[] {
  const used = new Set<Policy["licences"]["exceptions"][number]>();
  const isTaken = ({ name, licence }: Package): boolean => {
    if (licence !== null && allows(licence, allowed)) return true;
    const exception = exceptions.find((each) => matches(each.package, name) && each.licence === licence);
    if (exception !== undefined) used.add(exception);
    return exception !== undefined;
  };
  const refused = packages
    .filter((each) => !isTaken(each))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version}: licence ${licence ?? "not stated"} is not on the list`,
    );
  const unused = exceptions
    .filter((each) => !used.has(each))
    .map((each) => `${each.package}: the exception for ${each.licence} is not needed any more`);
  return [...refused, ...unused];
}

/** An SPDX expression of ids, AND, OR and brackets; what is anything else is not allowed. */
export function allows(expression: string, allowed: readonly string[]): boolean {
  const text = expression.trim();
  for (const [operator, every] of [
    [" OR ", false],
    [" AND ", true],
  ] as const) {
    const parts = splitOutside(text, operator);
    if (parts.length > 1) {
      return every
        ? parts.every((part) => allows(part, allowed))
        : parts.some((part) => allows(part, allowed));
    }
  }
  return text.startsWith("(") && text.endsWith(")")
    ? allows(text.slice(1, -1), allowed)
    : allowed.includes(text);
}

/** Splits at an operator where no bracket is open. */
function splitOutside(text: string, operator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")") depth--;
    if (depth !== 0 || !text.startsWith(operator, at)) continue;
    parts.push(text.slice(from, at));
    from = at + operator.length;
  }
  return [...parts, text.slice(from)];
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
