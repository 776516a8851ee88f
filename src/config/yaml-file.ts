import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, type Scalar } from "yaml";
import type { ConfigProblem, Written } from "./written.ts";

/** What a configuration file says: each value by its path (`ice.ports`), and what is wrong with the file itself. */
export interface ConfigFile {
  readonly values: ReadonlyMap<string, Written>;
  /** Paths of keys that have nothing or other keys under them. */
  readonly sections: ReadonlyMap<string, Pick<Written, "key">>;
  readonly problems: readonly ConfigProblem[];
}

const MAX_CHARS = 64 * 1024;
const MAX_LIST = 100;
const MAX_ERRORS = 5;
/** A setting is at most two keys deep; one more shows what was meant. */
const MAX_DEPTH = 3;

/** The library's own sentences may quote the file, and with it a secret. */
const ERRORS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "has a key that stands there twice",
  TAB_AS_INDENT: "is indented with a tab",
  MULTIPLE_DOCS: "has a second document (---)",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  BAD_INDENT: "is indented wrongly",
  BLOCK_AS_IMPLICIT_KEY: 'is indented wrongly, or has a value with ": " in it that needs quotes',
  TAG_RESOLVE_FAILED: "has a tag (!…), which no setting needs",
};

/**
 * Reads a YAML 1.2 file of settings. Numbers and booleans are taken as they are written, lists become parts separated by
 * commas, a key without a value counts as not set. Aliases, tags and what is larger than any configuration are refused.
 * @param name what problems call the file
 */
export function readYaml(text: string, name: string): ConfigFile {
  const values = new Map<string, Written>();
  const sections = new Map<string, Pick<Written, "key">>();
  const problems: ConfigProblem[] = [];
  const file: ConfigFile = { values, sections, problems };
  const lines = new LineCounter();
  const refuse = (offset: number | undefined, problem: string, hint: string): void => {
    const place = offset === undefined ? name : `${name}, line ${lines.linePos(offset).line}`;
    problems.push({ key: place, problem, hint });
  };
  if (text.length > MAX_CHARS) {
    refuse(undefined, `has over ${MAX_CHARS} characters`, "Name the file with the settings.");
    return file;
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { code, pos } of [...document.errors, ...document.warnings].slice(0, MAX_ERRORS)) {
    refuse(pos[0], ERRORS[code] ?? "is not valid YAML here", "Compare with config/example.yaml.");
  }
  if (problems.length > 0) return file;

  const walk = (node: unknown, path: string, offset: number): void => {
    const key = `${path} (${name}, line ${lines.linePos(offset).line})`;
    if (isAlias(node)) return refuse(offset, "has an alias (*…)", "Write the value itself.");
    if (isScalar(node)) {
      const value = textOf(node);
      if (value === "") sections.set(path, { key });
      else values.set(path, { key, text: value });
    } else if (isSeq(node)) {
      const parts = node.items.slice(0, MAX_LIST + 1).map((item) => (isScalar(item) ? textOf(item) : ""));
      if (parts.length > MAX_LIST || parts.includes("")) {
        return refuse(
          offset,
          "has a list that is too long, or of more than words",
          "Write one word an entry.",
        );
      }
      values.set(path, { key, text: parts.join(","), list: true });
    } else if (isMap(node)) {
      if (path !== "") sections.set(path, { key });
      for (const pair of node.items) {
        const at = (pair.key as { range?: [number, number, number] | null }).range?.[0] ?? offset;
        const own = isScalar(pair.key) ? textOf(pair.key) : "";
        const depth = path === "" ? 1 : path.split(".").length + 1;
        if (own === "" || depth > MAX_DEPTH)
          refuse(at, "has no setting here", "Compare with config/example.yaml.");
        else walk(pair.value, path === "" ? own : `${path}.${own}`, at);
      }
    }
  };
  const { contents } = document;
  if (isMap(contents)) walk(contents, "", 0);
  else if (contents !== null && !(isScalar(contents) && textOf(contents) === "")) {
    refuse(0, "has no keys", "Compare with config/example.yaml.");
  }
  return file;
}

/** As it is written: `0123` is a password, not the number 123. Empty for null. */
function textOf(node: Scalar): string {
  const { value, source } = node;
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  return source ?? "";
}
