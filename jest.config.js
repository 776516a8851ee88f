// One project per tier, so that `npm run test:unit` stays under ten seconds.
const common = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2024" }, module: { type: "es6" } }],
  },
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
};
const tier = (name) => ({ ...common, displayName: name, testMatch: [`<rootDir>/test/${name}/**/*.test.ts`] });

export default {
  projects: ["unit", "contract", "integration", "e2e", "long"].map(tier),
};
