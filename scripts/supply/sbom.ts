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
const listSchema = z.looseObject({
  components: z.array(
    z.looseObject({
      "bom-ref": z.string().optional(),
      properties: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
    }),
  ),
  dependencies: z
    .array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() }))
    .optional(),
});
const sbomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  metadata: z.object({ component: componentSchema }),
  components: z.array(componentSchema),
});

/**
 * The document without what lies in node_modules but no package asks for: install scripts of development dependencies put
 * some there (`node` its own set-up), and then nothing tells the generator that they are for development only.
 */
export function withoutExtraneous(document: unknown): unknown {
  const { components, dependencies, ...rest } = listSchema.parse(document);
  const isExtraneous = ({ properties = [] }: (typeof components)[number]): boolean =>
    properties.some(({ name, value }) => name === "cdx:npm:package:extraneous" && value === "true");
  const gone = new Set(components.filter(isExtraneous).map((each) => each["bom-ref"]));
  return {
    ...rest,
    components: components.filter((each) => !isExtraneous(each)),
    ...(dependencies === undefined
      ? {}
      : {
          dependencies: dependencies
            .filter(({ ref }) => !gone.has(ref))
            .map((each) =>
              each.dependsOn === undefined
                ? each
                : { ...each, dependsOn: each.dependsOn.filter((ref) => !gone.has(ref)) },
            ),
        }),
  };
}

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
