// npm run sbom [-- FILE]: what ships, as a CycloneDX document (default sbom.cdx.json), validated against its schema; and
// the licences of all that. By the project's own generator for npm: `npm sbom --omit dev` leaves out what development
// needs as well (npm 11: zod, …), and fails on our stand-ins when it is to read the lock file.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { judgeLicences } from "./supply/licences.ts";
import { readPolicy } from "./supply/policy.ts";
import { judgeSbom, withoutExtraneous } from "./supply/sbom.ts";
import { productionPackages, readLock } from "./supply/tree.ts";

const root = new URL("..", import.meta.url).pathname;
const file = resolve(process.argv[2] ?? join(root, "sbom.cdx.json"));
mkdirSync(dirname(file), { recursive: true });
const tool = join(root, "node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js");
const args = ["--omit", "dev", "--mc-type", "application", "--output-reproducible", "--validate", "-o", file];
execFileSync(process.execPath, [tool, ...args], { cwd: root, stdio: "inherit", timeout: 120_000 });

const document = withoutExtraneous(JSON.parse(readFileSync(file, "utf8")));
writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
const packages = productionPackages(readLock(root));
const problems = [...judgeSbom(document, packages), ...judgeLicences(packages, readPolicy().licences)];
for (const problem of problems) console.log(problem);
if (problems.length === 0) console.log(`${packages.length} packages, licences as allowed: ${file}`);
process.exitCode = problems.length === 0 ? 0 : 1;
