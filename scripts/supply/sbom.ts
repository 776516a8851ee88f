import { z } from "zod";
import type { Package } from "./tree.ts";

interface Component {
  readonly group?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly components?: readonly Component[] | undefined;
}
const componentSchema: z.ZodType<Component> = z.object({
  group: z.string().optional(),
  name: z.string(),
  version: z.string().optional(),
  get components() {
    return z.array(componentSchema).optional();
  },
});
const sbomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  metadata: z.object({ component: componentSchema }),
  components: z.array(componentSchema),
});

/** What the document lacks of what ships, or has beyond it (our stand-ins aside), a line each. */
export function judgeSbom(document: unknown, packages: readonly Package[]): string[] {
  const { components } = sbomSchema.parse(document);
  const listed = new Set(
    flat(components).map(({ group, name, version }) =>
      id(group === undefined ? name : `${group}/${name}`, version ?? ""),
    ),
  );
  const shipped = new Map(packages.map((each) => [id(each.name, each.version), each]));
  const missing = [...shipped].filter(([key, { optional }]) => !optional && !listed.has(key));
  const extra = [...listed].filter(
    (key) => !shipped.has(key) && !STAND_INS.some((name) => key.startsWith(`${name} `)),
  );
  return [
    ...missing.map(([key]) => `the SBOM does not list ${key}`),
    ...extra.map((key) => `the SBOM lists ${key}, which is not in package-lock.json`),
  ];
}

/** Packages of ours in stubs/. */
const STAND_INS = ["@matrix-org/matrix-sdk-crypto-nodejs", "request", "request-promise"];

function flat(components: readonly Component[]): Component[] {
  return components.flatMap((each) => [each, ...flat(each.components ?? [])]);
}

function id(name: string, version: string): string {
  return `${name} ${version}`;
}
