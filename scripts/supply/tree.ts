// What ships: the packages of package-lock.json that are there without development.
import { readFileSync } from "node:fs";
import { z } from "zod";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().default(false),
      devOptional: z.boolean().default(false),
      optional: z.boolean().default(false),
      link: z.boolean().default(false),
    }),
  ),
});

export interface Package {
  readonly name: string;
  readonly version: string;
  /** As the package says; null: it says nothing. */
  readonly licence: string | null;
  /** Only on some machines: binaries for one system each. */
  readonly optional: boolean;
}

/** Without our own stand-ins (stubs/), which the lock file knows as links. */
export function productionPackages(lock: unknown): Package[] {
  return Object.entries(lockSchema.parse(lock).packages)
    .filter(([path, entry]) => path.includes("node_modules/") && entry.version !== undefined)
    .filter(([, { dev, devOptional, link }]) => !dev && !devOptional && !link)
    .map(([path, { name, version, license, optional }]) => ({
      name: name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
      version: version ?? "",
      licence: license ?? null,
      optional,
    }));
}

export function readLock(root: string): unknown {
  return JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8"));
}
