// npm run audit: known vulnerabilities of the dependencies. Exit 0: none but the reviewed ones; 1: some; 2: the registry
// that npm is set to does not answer audits, so nothing was checked. In `npm test` that is a note.
import { audit } from "./supply/audit.ts";

const verdict = await audit(new URL("..", import.meta.url).pathname);
if (verdict.kind === "not_checked") {
  console.log(`Not checked: ${verdict.reason}`);
  process.exitCode = 2;
} else {
  for (const problem of verdict.problems) console.log(problem);
  console.log(
    verdict.problems.length === 0
      ? "No vulnerability that is not reviewed."
      : "See scripts/supply/policy.json.",
  );
  process.exitCode = verdict.problems.length === 0 ? 0 : 1;
}
