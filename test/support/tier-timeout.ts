// Runs before each test file: what a test of its tier may take, from jest.config.js.
import { jest } from "@jest/globals";

jest.setTimeout((globalThis as unknown as { readonly tierTimeoutMs: number }).tierTimeoutMs);
