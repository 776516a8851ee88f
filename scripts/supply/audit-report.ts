// What `npm audit --json` says, judged by the reviewed exceptions.
import { z } from "zod";
import type { Policy } from "./policy.ts";

const advisorySchema = z.object({
  name: z.string(),
  title: z.string(),
  url: z.string(),
  severity: z.string(),
  range: z.string(),
});
const reportSchema = z.object({
  vulnerabilities: z.record(
    z.string(),
    // A name stands for what the package has by another one.
    z.object({ via: z.array(z.union([z.string(), advisorySchema])) }),
  ),
});
/** What npm prints when the registry does not answer audits. */
const failureSchema = z.object({ message: z.string() });

export type Verdict =
  | { readonly kind: "not_checked"; readonly reason: string }
  /** `problems` are lines for people; none: all is well. */
  | { readonly kind: "checked"; readonly problems: readonly string[] };

/** @param output standard output of npm audit --json, whatever its exit code was */
export function judgeAudit(output: string, { exceptions }: Policy["advisories"]): Verdict {
  const answer = parse(output);
  const report = reportSchema.safeParse(answer);
  if (!report.success) {
    const reason = failureSchema.safeParse(answer).data?.message ?? "npm audit gave no report";
    return { kind: "not_checked", reason };
  }
  const advisories = new Map<string, z.infer<typeof advisorySchema>>();
  for (const { via } of Object.values(report.data.vulnerabilities)) {
    for (const each of via)
      if (typeof each !== "string") advisories.set(`${idOf(each.url)} ${each.name}`, each);
  }
  const keys = new Set(exceptions.map((each) => `${each.id} ${each.package}`));
  const open = [...advisories]
    .filter(([key]) => !keys.has(key))
    .map(([, { name, range, severity, title, url }]) => `${severity}: ${name} ${range}: ${title} (${url})`);
  const unused = [...keys]
    .filter((key) => !advisories.has(key))
    .map((key) => `the exception for ${key} is not needed any more`);
  return { kind: "checked", problems: [...open, ...unused] };
}

function idOf(url: string): string {
  return /GHSA(-[a-z0-9]{4}){3}/.exec(url)?.[0] ?? url;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
