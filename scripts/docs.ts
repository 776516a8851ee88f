// Writes what documentation says about settings, exit codes, commands and findings from the tables of the code: `npm run docs`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generated-docs.ts";

const root = new URL("..", import.meta.url).pathname;
for (const { path, text } of generatedFiles((path) => readFileSync(join(root, path), "utf8"))) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
