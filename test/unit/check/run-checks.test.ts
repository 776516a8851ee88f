import { readFileSync } from "node:fs";
import type { Check, Verdict } from "../../../src/check/check.ts";
import type { CheckContext } from "../../../src/check/context.ts";
import { CHECKS, checksTable } from "../../../src/check/list.ts";
import { exitCodeOf, jsonOf, summaryOf, textOf } from "../../../src/check/report.ts";
import { runChecks, type CheckResult } from "../../../src/check/run-checks.ts";
import { Skipped } from "../../../src/check/skipped.ts";
import { FakeClock } from "../../fakes/clock.ts";

const check = (id: string, run: Check["run"]): Check => ({ id, about: id, limitMs: 5_000, run });
const found = (id: string, verdict: Verdict, what = "x", todo?: string): CheckResult => ({
  ...{ id, tookMs: 1.4 },
  findings: [{ verdict, what, ...(todo === undefined ? {} : { todo }) }],
});

test("checks run at once, their results come in order, and nothing hangs or breaks out", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const context = { clock, signal: stop.signal } as unknown as CheckContext;
  const slow = Promise.withResolvers<void>();
  const order: string[] = [];
  const running = runChecks(
    [
      check("slow", async () => (await slow.promise, { verdict: "ok", what: "done" })),
      check("fast", () => Promise.resolve([{ verdict: "ok", what: "done" }])),
      check("hangs", () => new Promise(() => {})),
      check("throws", () => {
        throw new Error("broken");
      }),
      check("waits", () => Promise.reject(new Skipped("something is missing"))),
    ],
    context,
    ({ id }) => order.push(id),
  );
  await clock.advance(1_000);
  expect(order).toEqual([]);
  slow.resolve();
  await clock.advance(1_000);
  expect(order).toEqual(["slow", "fast"]);
  await clock.advance(4_000);
  const results = await running;
  expect(results.map(({ id, findings }) => `${id} ${findings[0]?.verdict} ${findings[0]?.what}`)).toEqual([
    "slow ok done",
    "fast ok done",
    "hangs fail took over 5 s",
    "throws fail broken",
    "waits skip not looked at: something is missing",
  ]);
  expect(clock.pending).toBe(0);
});

test("an interrupt ends all", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const context = { clock, signal: stop.signal } as unknown as CheckContext;
  const running = runChecks([check("hangs", () => new Promise(() => {}))], context);
  stop.abort();
  expect(await running).toMatchObject([{ findings: [{ verdict: "skip", what: "cancelled" }] }]);
});

test("the exit code is of the worst that has to be mended", () => {
  expect(exitCodeOf([found("a", "ok"), found("b", "warn"), found("c", "skip")])).toBe(0);
  expect(exitCodeOf([found("a", "ok"), found("b", "fail")])).toBe(1);
  expect(exitCodeOf([found("b", "fail"), found("configuration", "fail")])).toBe(78);
});

test("a line each, and what to do under it; a stranger's text does no harm in a terminal", () => {
  const text = textOf(found("rooms", "warn", "Voice\u001b[2J\u202e\nx", "Do this."), { colours: false });
  expect(text).toBe("! rooms          Voice[2J x\n                 → Do this.\n");
  expect(textOf(found("rooms", "ok", "well"), { colours: true })).toBe(
    "\u001b[32m✓\u001b[0m rooms          well\n",
  );
  expect(summaryOf([found("a", "ok")])).toBe("all is well");
  expect(summaryOf([found("a", "fail"), found("b", "warn")])).toBe("1 to mend (✗), 1 to know (!)");
});

test("the JSON document has the form that is documented", () => {
  expect(JSON.parse(jsonOf([found("turn", "fail", "no", "Do."), found("a", "ok")]))).toEqual({
    ...{ version: 1, ok: false, exitCode: 1 },
    findings: [
      { check: "turn", verdict: "fail", what: "no", todo: "Do.", tookMs: 1 },
      { check: "a", verdict: "ok", what: "x", todo: null, tookMs: 1 },
    ],
  });
});

test("docs/CHECK.md has the table of the code, and every id is its own", () => {
  const text = readFileSync(new URL("../../../docs/CHECK.md", import.meta.url), "utf8");
  expect(text).toContain(`\n${checksTable()}\n`);
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
});
