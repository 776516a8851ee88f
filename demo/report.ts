/** What the demo prints: progress as it goes, and a table of everything measured at the end. */

type Mark = "true" | "false" | "slow";
type Row = { readonly mark: Mark; readonly what: string; readonly value: string; readonly wanted: string };

const colour = process.stdout.isTTY && !process.env["NO_COLOR"];
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const marks: Readonly<Record<Mark, string>> = {
  true: paint(32, "✓"),
  false: paint(31, "✗"),
  slow: paint(33, "~"),
};

export class Report {
  readonly #rows: Row[] = [];

  /** A new part of the story. */
  title(text: string): void {
    console.log(`\n${paint(1, text)}`);
  }

  /** Something that happened. */
  say(text: string): void {
    console.log(`  ${text}`);
  }

  /** What somebody wrote in the room. */
  chat(who: string, text: string): void {
    for (const [index, line] of text.trim().split("\n").entries())
      console.log(`  ${paint(36, index === 0 ? `${who}:` : " ".repeat(who.length + 1))} ${line}`);
  }

  /** A fact that must be true; the demo fails otherwise. */
  check(what: string, isTrue: boolean, value: string, wanted: string): void {
    this.#add({ mark: isTrue ? "true" : "false", what, value, wanted });
  }

  /** A figure with a target. Missing it is shown, and fails nothing: machines differ. */
  figure(what: string, value: number, atMost: number, unit: string, digits = 0): void {
    this.#add({
      mark: value <= atMost ? "true" : "slow",
      what,
      value: `${value.toFixed(digits)} ${unit}`,
      wanted: `target ≤ ${atMost} ${unit}`,
    });
  }

  /** Something that went wrong. */
  failure(what: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#rows.push({ mark: "false", what, value: message.split("\n")[0] ?? "", wanted: "" });
    console.log(`  ${marks.false} ${what}:`);
    for (const line of message.split("\n")) console.log(`      ${line}`);
  }

  /** Whether all checks were true, and there were some. */
  get allTrue(): boolean {
    return this.#rows.length > 0 && this.#rows.every((row) => row.mark !== "false");
  }

  table(): void {
    this.title("What was measured");
    const width = (pick: (row: Row) => string): number =>
      Math.min(44, Math.max(...this.#rows.map((row) => pick(row).length)));
    const [first, second] = [width((row) => row.what), width((row) => row.value)];
    for (const { mark, what, value, wanted } of this.#rows)
      console.log(
        `  ${marks[mark]} ${what.padEnd(first)}  ${value.padEnd(second)}  ${paint(2, wanted)}`.trimEnd(),
      );
    const wrong = this.#rows.filter((row) => row.mark === "false").length;
    const slow = this.#rows.filter((row) => row.mark === "slow").length;
    const verdict =
      wrong === 0
        ? paint(32, "All of it was true.")
        : paint(31, `${wrong} ${wrong === 1 ? "check" : "checks"} failed (✗).`);
    console.log(
      `\n  ${verdict}${slow > 0 ? ` ${slow} over target (~), on this machine at this moment.` : ""}`,
    );
  }

  #add(row: Row): void {
    this.#rows.push(row);
    console.log(`  ${marks[row.mark]} ${row.what}: ${row.value} ${paint(2, `(${row.wanted})`)}`);
  }
}

/** Seconds for people, from milliseconds. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
