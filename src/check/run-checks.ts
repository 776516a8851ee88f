import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Check, Finding } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { Skipped } from "./skipped.ts";

export interface CheckResult {
  id: string;
  findings: readonly Finding[];
  tookMs: number;
}

/**
 * Runs all checks at once and hands over each result in the order of the list, as soon as those before are there. Bounded
 * by the limits of the checks; nothing that a check throws gets out.
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  onResult: (result: CheckResult) => void = () => {},
): Promise<CheckResult[]> {
  const running = checks.map((check) => runCheck(check, context));
  const results: CheckResult[] = [];
  for (const each of running) {
    const result = await each;
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runCheck(check: Check, context: CheckContext): Promise<CheckResult> {
  const startedMs = context.clock.now();
  const findings = await bounded(check, context);
  return { id: check.id, findings, tookMs: context.clock.now() - startedMs };
}

function bounded(check: Check, context: CheckContext): Promise<Finding[]> {
  const { clock, signal } = context;
  return new Promise((resolve) => {
    const late = timer(clock, check.limitMs, () =>
      resolve([
        {
          verdict: "fail",
          what: `took over ${check.limitMs / 1000} s`,
          todo: "Something does not answer; try again.",
        },
      ]),
    );
    const finish = (findings: Finding[]): void => {
      late.cancel();
      resolve(findings);
    };
    signal.addEventListener("abort", () => finish([{ verdict: "skip", what: "cancelled" }]), { once: true });
    Promise.resolve()
      .then(() => check.run(context))
      .then((found) => finish([found].flat()))
      .catch((error: unknown) => finish([failed(error)]));
  });
}

const timer = (clock: Clock, ms: number, run: () => void): { cancel(): void } => clock.timer(ms, run);

function failed(error: unknown): Finding {
  const what = messageOf(error);
  if (error instanceof Skipped) return { verdict: "skip", what: `not looked at: ${what}` };
  return { verdict: "fail", what, todo: "Mend what the lines above say first, then try again." };
}
