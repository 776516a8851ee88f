// The native half of @evan/opus keeps its buffers in the first vm context that loads it; test files have one each, and
// the second would encode nothing. Bots started as processes take the native half, as for operators.
process.env.OPUS_FORCE_WASM = "1";

const common = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2024" }, module: { type: "es6" } },
    ],
  },
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
};

const timeoutMs = { unit: 20_000, contract: 30_000, integration: 60_000, e2e: 120_000, long: 3_600_000 };

// One project per tier, so that `npm run test:unit` stays under ten seconds.
export default {
  projects: Object.entries(timeoutMs).map(([name, tierTimeoutMs]) => ({
    ...common,
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
    // `testTimeout` of a project is not honoured by Jest 30; this file sets it.
    globals: { tierTimeoutMs },
    setupFilesAfterEnv: ["<rootDir>/test/support/tier-timeout.ts"],
  })),
};
