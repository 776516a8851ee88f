import { oneLine } from "../base/messages/catalogue.ts";
import { EXIT } from "../program/exit-codes.ts";
import type { Finding, Verdict } from "./check.ts";
import type { CheckResult } from "./run-checks.ts";

const MARKS: Readonly<Record<Verdict, string>> = { ok: "✓", warn: "!", fail: "✗", skip: "–" };
/** SGR codes: green, yellow, red, dim. */
const COLOURS: Readonly<Record<Verdict, number>> = { ok: 32, warn: 33, fail: 31, skip: 2 };
const ID_WIDTH = 14;

/** Each finding on a line, and under it what to do. Texts of rooms are made harmless. */
export function textOf({ id, findings }: CheckResult, { colours }: { colours: boolean }): string {
  return findings
    .map(({ verdict, what, todo }) => {
      const mark = colours ? `\u001b[${COLOURS[verdict]}m${MARKS[verdict]}\u001b[0m` : MARKS[verdict];
      const line = `${mark} ${id.padEnd(ID_WIDTH)} ${oneLine(what)}\n`;
      return todo === undefined ? line : `${line}${" ".repeat(ID_WIDTH + 3)}→ ${oneLine(todo)}\n`;
    })
    .join("");
}

/** 78 when the configuration is wrong, 1 when something else has to be mended, else 0. */
export function exitCodeOf(results: readonly CheckResult[]): number {
  const failing = results.filter(({ findings }) => findings.some(({ verdict }) => verdict === "fail"));
  if (failing.some(({ id }) => id === "configuration")) return EXIT.config;
  return failing.length > 0 ? EXIT.failed : EXIT.ok;
}

/** The last line of the text. */
export function summaryOf(results: readonly CheckResult[]): string {
  const all = results.flatMap(({ findings }) => findings);
  const count = (verdict: Verdict): number => all.filter((finding) => finding.verdict === verdict).length;
  if (count("fail") > 0) return `${count("fail")} to mend (✗), ${count("warn")} to know (!)`;
  return count("warn") > 0 ? `nothing to mend, ${count("warn")} to know (!)` : "all is well";
}

/** The stable form, see docs/CHECK.md. */
export function jsonOf(results: readonly CheckResult[]): string {
  const exitCode = exitCodeOf(results);
  const findings = results.flatMap(({ id, tookMs, findings: found }) =>
    found.map(({ verdict, what, todo }: Finding) => ({
      ...{ check: id, verdict, what: oneLine(what) },
      todo: todo === undefined ? null : oneLine(todo),
      tookMs: Math.round(tookMs),
    })),
  );
  return `${JSON.stringify({ version: 1, ok: exitCode === EXIT.ok, exitCode, findings }, null, 2)}\n`;
}
