import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generatedFiles } from "../../scripts/generated-docs.ts";

const root = new URL("../../", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test.each(generatedFiles(read).map(({ path, text }) => [path, text]))(
  "%s is as the tables of the code print it (npm run docs)",
  (path, text) => {
    expect(read(path)).toBe(text);
  },
);
