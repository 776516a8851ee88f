import { judgeAudit } from "../../../scripts/supply/audit-report.ts";
import { allows, judgeLicences } from "../../../scripts/supply/licences.ts";
import { oldReviews, readPolicy } from "../../../scripts/supply/policy.ts";
import { judgeSbom, withoutExtraneous } from "../../../scripts/supply/sbom.ts";
import { productionPackages, type Package } from "../../../scripts/supply/tree.ts";

const review = { reason: "It is never loaded in this program.", reviewed: "2026-11-01" };
const shipped = (name: string, licence: string | null = "MIT", optional = false): Package => ({
  ...{ name, version: "1.0.0", licence, optional },
});

test("what ships is what the lock file has without development and our stand-ins", () => {
  const packages = {
    "": { name: "bot", version: "1.0.0" },
    "node_modules/a": { version: "1.0.0", license: "MIT" },
    "node_modules/a/node_modules/@x/b": { version: "2.0.0" },
    "node_modules/only-dev": { version: "1.0.0", dev: true },
    "node_modules/dev-or-optional": { version: "1.0.0", devOptional: true },
    "node_modules/binary": { version: "1.0.0", optional: true },
    "node_modules/stand-in": { resolved: "stubs/stand-in", link: true },
    "node_modules/a/stubs/stand-in": {},
    "node_modules/alias": { name: "real", version: "3.0.0" },
  };
  expect(productionPackages({ packages }).map(({ name, version }) => `${name} ${version}`)).toEqual([
    "a 1.0.0",
    "@x/b 2.0.0",
    "binary 1.0.0",
    "real 3.0.0",
  ]);
});

test.each([
  ["MIT", true],
  ["GPL-3.0-only", false],
  ["(GPL-3.0-only OR MIT)", true],
  ["MIT AND GPL-3.0-only", false],
  ["(MIT AND (ISC OR GPL-3.0-only))", true],
  ["(GPL-2.0-only OR GPL-3.0-only) AND MIT", false],
  ["SEE LICENSE IN LICENSE", false],
  ["", false],
])("licence %s", (expression, expected) => {
  expect(allows(expression, ["MIT", "ISC"])).toBe(expected);
});

test("a licence that is not allowed, one that is not stated, and an exception without a use are told", () => {
  const exceptions = [
    { package: "@n/*", licence: "MPL 2.0", ...review },
    { package: "gone", licence: "GPL-3.0", ...review },
  ];
  const packages = [shipped("a"), shipped("b", "GPL-3.0"), shipped("c", null), shipped("@n/x", "MPL 2.0")];
  expect(judgeLicences(packages, { allowed: ["MIT"], exceptions })).toEqual([
    "b 1.0.0: licence GPL-3.0 is not on the list",
    "c 1.0.0: licence not stated is not on the list",
    "gone: the exception for GPL-3.0 is not needed any more",
  ]);
});

test("the SBOM lists what ships, and nothing else", () => {
  const document = {
    bomFormat: "CycloneDX",
    metadata: { component: { name: "bot" } },
    components: [
      { name: "a", version: "1.0.0", components: [{ group: "@x", name: "b", version: "1.0.0" }] },
      { name: "request", version: "2.88.99" },
      { name: "stranger", version: "1.0.0" },
    ],
  };
  const packages = [shipped("a"), shipped("@x/b"), shipped("c"), shipped("binary", "MIT", true)];
  expect(judgeSbom(document, packages)).toEqual([
    "the SBOM does not list c 1.0.0",
    "the SBOM lists stranger 1.0.0, which is not in package-lock.json",
  ]);
});

test("what an install script left in node_modules is not in the SBOM", () => {
  const left = { name: "cdx:npm:package:extraneous", value: "true" };
  const document = {
    bomFormat: "CycloneDX",
    components: [
      { "bom-ref": "a", name: "a" },
      { "bom-ref": "left", name: "left", properties: [left] },
    ],
    dependencies: [{ ref: "bot", dependsOn: ["a", "left"] }, { ref: "left" }, { ref: "a" }],
  };
  expect(withoutExtraneous(document)).toEqual({
    bomFormat: "CycloneDX",
    components: [{ "bom-ref": "a", name: "a" }],
    dependencies: [{ ref: "bot", dependsOn: ["a"] }, { ref: "a" }],
  });
});

describe("an audit", () => {
  const advisory = (name: string, ghsa: string): object => ({
    ...{ source: 1, name, dependency: name, title: "Bad", severity: "high", range: "<2" },
    url: `https://github.com/advisories/${ghsa}`,
  });
  const output = JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: {
      a: { name: "a", via: [advisory("a", "GHSA-aaaa-bbbb-cccc")] },
      b: { name: "b", via: ["a", advisory("b", "GHSA-dddd-eeee-ffff")] },
    },
    metadata: {},
  });

  test("fails for what nobody has reviewed", () => {
    const exceptions = [{ id: "GHSA-aaaa-bbbb-cccc", package: "a", ...review }];
    expect(judgeAudit(output, { exceptions })).toEqual({
      kind: "checked",
      problems: ["high: b <2: Bad (https://github.com/advisories/GHSA-dddd-eeee-ffff)"],
    });
  });

  test("fails for an exception that is not needed any more, or is for another package", () => {
    const exceptions = [
      { id: "GHSA-aaaa-bbbb-cccc", package: "a", ...review },
      { id: "GHSA-dddd-eeee-ffff", package: "a", ...review },
    ];
    expect(judgeAudit(output, { exceptions })).toMatchObject({
      problems: [
        expect.stringMatching(/^high: b/),
        expect.stringMatching(/GHSA-dddd-eeee-ffff a is not needed/),
      ],
    });
  });

  test("is well when there is nothing", () => {
    expect(judgeAudit(JSON.stringify({ vulnerabilities: {} }), { exceptions: [] })).toEqual({
      kind: "checked",
      problems: [],
    });
  });

  test.each([
    [JSON.stringify({ message: "405 Method Not Allowed", statusCode: 405 }), "405 Method Not Allowed"],
    ["", "npm audit gave no report"],
    ["null", "npm audit gave no report"],
  ])("without an answer was none: %s", (answer, reason) => {
    expect(judgeAudit(answer, { exceptions: [] })).toEqual({ kind: "not_checked", reason });
  });
});

test("every decision has a reason and a date; an old one is told", () => {
  const policy = readPolicy();
  expect(policy.licences.allowed).not.toContain("GPL-3.0-only");
  expect(oldReviews(policy, new Date("2026-11-24"))).toEqual([]);
  expect(oldReviews(policy, new Date("2099-01-01"))).toContain(
    "node-datachannel: reviewed 2026-11-23, look again",
  );
});
