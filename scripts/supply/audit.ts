import { execFile } from "node:child_process";
import { judgeAudit, type Verdict } from "./audit-report.ts";
import { oldReviews, readPolicy } from "./policy.ts";

/**
 * Asks the registry for known vulnerabilities of every package of the lock file, those of development too.
 * @param env added to the environment, e.g. another registry
 */
export async function audit(root: string, env: Readonly<Record<string, string>> = {}): Promise<Verdict> {
  const policy = readPolicy();
  const output = await new Promise<string>((resolve) => {
    const args = ["audit", "--json", "--audit-level=none"];
    const options = { cwd: root, timeout: 60_000, maxBuffer: 64e6, env: { ...process.env, ...env } };
    execFile("npm", args, options, (_error, stdout) => resolve(stdout));
  });
  for (const line of oldReviews(policy, new Date())) console.log(line);
  return judgeAudit(output, policy.advisories);
}
