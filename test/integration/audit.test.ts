// The audit of the dependencies by npm itself, against a registry of our own that knows a vulnerability.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { audit } from "../../scripts/supply/audit.ts";

const root = new URL("../../", import.meta.url).pathname;
const bulk = "/-/npm/v1/security/advisories/bulk";

let server: Server;
let advisories: Record<string, object[]> | null = {};
let asked: Record<string, string[]> = {};

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST" || request.url !== bulk || advisories === null) {
    response.writeHead(request.url === bulk ? 405 : 404).end();
    return;
  }
  asked = JSON.parse(await bodyOf(request)) as Record<string, string[]>;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(advisories));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
}

const check = (): ReturnType<typeof audit> =>
  audit(root, {
    npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    npm_config_fetch_retries: "0",
    npm_config_offline: "false",
  });

test("a vulnerability in what ships is found, and so is a registry that does not answer audits", async () => {
  advisories = {
    zod: [
      {
        ...{ id: 1, title: "Made up", severity: "high", vulnerable_versions: "<9000" },
        ...{ url: "https://github.com/advisories/GHSA-2222-3333-4444", cwe: [], cvss: { score: 0 } },
      },
    ],
  };
  expect(await check()).toEqual({
    kind: "checked",
    problems: ["high: zod <9000: Made up (https://github.com/advisories/GHSA-2222-3333-4444)"],
  });
  expect(Object.keys(asked)).toEqual(expect.arrayContaining(["zod", "matrix-bot-sdk", "jest"]));
  // Nobody mends these any more, and a stand-in (2.88.99) keeps them out: they must not come back.
  expect(asked["request"] ?? []).not.toContain("2.88.2");
  expect(Object.keys(asked)).not.toContain("tough-cookie");

  advisories = {};
  expect(await check()).toEqual({ kind: "checked", problems: [] });
  advisories = null;
  expect(await check()).toEqual({ kind: "not_checked", reason: expect.stringMatching(/405/) });
});
