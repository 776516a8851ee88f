// Dockerfile, compose files and docs/DOCKER.md say the same as each other, and nothing that the bot does not know.
import { readFileSync } from "node:fs";
import { DCLinter } from "dclint";
import { parse } from "yaml";
import { z } from "zod";
import { envName, secretFileName } from "../../../src/config/setting.ts";
import { SETTINGS } from "../../../src/config/settings.ts";

const root = new URL("../../../", import.meta.url).pathname;
const read = (path: string): string => readFileSync(root + path, "utf8");

/** The keys that are used, no others: a slip in a name is a failure. */
const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.literal("..").optional(),
  profiles: z.array(z.enum(["host", "ports"])).optional(),
  restart: z.literal("unless-stopped"),
  network_mode: z.literal("host").optional(),
  ports: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  read_only: z.literal(true).optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.tuple([z.literal("ALL")]).optional(),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]),
  ulimits: z.strictObject({ nice: z.int() }).optional(),
  pids_limit: z.int().optional(),
  mem_limit: z.string().optional(),
  stop_grace_period: z.string().optional(),
  secrets: z.array(z.string()),
  configs: z.array(z.strictObject({ source: z.string(), target: z.string() })).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).optional(),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()),
      interval: z.string(),
      timeout: z.string(),
      start_period: z.string(),
      retries: z.int(),
    })
    .optional(),
  logging: z.strictObject({ driver: z.literal("json-file"), options: z.record(z.string(), z.string()) }),
});
const composeSchema = z.strictObject({
  name: z.string(),
  "x-bot": z.unknown(),
  "x-settings": z.unknown(),
  services: z.record(z.string(), serviceSchema),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })).optional(),
  secrets: z.record(z.string(), z.strictObject({ file: z.string().startsWith("./secrets/") })),
  volumes: z.record(z.string(), z.null()),
});
interface Finding {
  rule: string;
  message: string;
}
type Service = z.infer<typeof serviceSchema>;

const files = ["deploy/compose.yaml", "deploy/compose.full.yaml"];
const compose = (file: string): z.infer<typeof composeSchema> =>
  composeSchema.parse(parse(read(file), { merge: true }));
const settingNames = Object.values(SETTINGS).flatMap(({ name, secret }) =>
  secret ? [envName(name), envName(secretFileName(name))] : [envName(name)],
);
/** What only the compose files know: images, the music, the address. */
const variables = [...read("deploy/env.example").matchAll(/^#?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
const dockerfile = read("Dockerfile");

test.each(files)("%s is what the Compose specification allows", (file) => {
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
  // Its types cannot be resolved as ESM.
  const results = linter.lintFiles([root + file], false) as readonly { messages: readonly Finding[] }[];
  const messages = results.flatMap((result) => result.messages);
  expect(messages.filter(({ rule }) => rule.startsWith("invalid-"))).toEqual([]);
  expect(messages.length).toBeGreaterThan(0); // it was read: matters of taste are always found
});

test.each(files)("%s names what is there: settings, secrets, volumes, variables", (file) => {
  const { services, secrets, volumes, configs = {} } = compose(file);
  const all = Object.values(services);
  const used = {
    secrets: all.flatMap((service) => service.secrets),
    volumes: all.flatMap(({ volumes = [] }) => volumes).filter((volume) => /^[a-z]/.test(volume)),
    configs: all.flatMap(({ configs = [] }) => configs.map(({ source }) => source)),
  };
  expect(new Set(used.secrets)).toEqual(new Set(Object.keys(secrets)));
  expect(new Set(used.volumes.map((volume) => volume.split(":")[0]))).toEqual(new Set(Object.keys(volumes)));
  expect(used.configs).toEqual(Object.keys(configs));
  for (const [name = "", set] of all.flatMap(({ environment = {} }) => Object.entries(environment))) {
    if (name.startsWith("VOICEBOT_")) expect(settingNames).toContain(name);
    const secret = /^\/run\/secrets\/(.*)$/.exec(set)?.[1];
    if (secret !== undefined) expect(Object.keys(secrets)).toContain(secret);
  }
  const named = [...read(file).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
  expect(variables).toEqual(expect.arrayContaining(named));
});

test("docs/DOCKER.md has what can be chosen when the image is built", () => {
  const named = [...dockerfile.matchAll(/^ARG ([A-Z]+)/gm)].map(([, name]) => name ?? "");
  const mine = new Set(named.filter((name) => name !== "TARGETARCH"));
  const rows = read("docs/DOCKER.md").matchAll(/^\| (`[A-Z]+`(?:, `[A-Z]+`)*) +\|/gm);
  const told = [...rows].flatMap(([, names = ""]) => names.replaceAll("`", "").split(", "));
  expect(new Set(told)).toEqual(mine);
});

describe.each(files)("the bot of %s", (file) => {
  let host: Service;
  let ports: Service;

  beforeAll(() => {
    const { services } = compose(file);
    host = services["bot"] as Service;
    ports = services["bot-ports"] as Service;
  });

  test("is confined, and has its secrets in files", () => {
    for (const bot of [host, ports]) {
      expect(bot).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        ulimits: { nice: 30 },
        tmpfs: [expect.stringMatching(/^\/tmp/)],
      });
      const secret = Object.values(SETTINGS).filter((setting) => setting.secret);
      for (const { name } of secret) expect(bot.environment).not.toHaveProperty(envName(name));
      const mounts = bot.volumes?.map((volume) => /(\/data|\/media:ro)$/.exec(volume)?.[0]);
      expect(mounts).toEqual(["/data", "/media:ro"]);
    }
  });

  test("asks for its health as the image does", () => {
    const command = /HEALTHCHECK .*CMD (\[.*\])/.exec(dockerfile)?.[1] ?? "";
    const test = ["CMD", ...(JSON.parse(command) as string[])];
    for (const bot of [host, ports]) expect(bot.healthcheck?.test).toEqual(test);
  });

  test("has the machine's network, or just the ports that it uses, in one profile each", () => {
    expect(host).toMatchObject({ profiles: ["host"], network_mode: "host" });
    expect(host.ports).toBeUndefined();
    const range = ports.environment?.["VOICEBOT_ICE_PORTS"] ?? "";
    expect(SETTINGS.icePorts.schema.safeParse(range).success).toBe(true);
    expect(ports).toMatchObject({ profiles: ["ports"], ports: [`${range}:${range}/udp`] });
    expect(ports.network_mode).toBeUndefined();
    expect(ports.environment?.["VOICEBOT_ICE_ANNOUNCE"]).toContain("${VOICEBOT_PUBLIC_IP:");
  });
});

test("without an address to announce, the bot of profile ports refuses to start", () => {
  const announce =
    compose("deploy/compose.yaml").services["bot-ports"]?.environment?.["VOICEBOT_ICE_ANNOUNCE"];
  const missing = /^\$\{VOICEBOT_PUBLIC_IP:-(.*)\}$/.exec(announce ?? "")?.[1] ?? "";
  expect(missing).not.toBe("");
  expect(SETTINGS.iceAnnounce.schema.safeParse(missing).success).toBe(false);
});

test("the Synapse that is started is the one that the tests run", () => {
  const version = /^matrix-synapse==(.*)$/m.exec(read("scripts/synapse-requirements.txt"))?.[1];
  expect(read("deploy/compose.full.yaml")).toContain(`matrixdotorg/synapse:v${version}}`);
});

test("coturn relays on other ports than the bot uses", () => {
  const { command = [] } = compose("deploy/compose.full.yaml").services["coturn"] as Service;
  const port = (name: string): number =>
    Number(command.map((part) => new RegExp(`^--${name}=(\\d+)$`).exec(part)?.[1]).find(Boolean));
  expect(port("max-port")).toBeGreaterThan(port("min-port"));
  expect(port("max-port")).toBeLessThan(50_000);
});

test("the image sets what the bot knows, and takes what .dockerignore lets through", () => {
  const set = [...dockerfile.matchAll(/^\s*(?:ENV )?(VOICEBOT_[A-Z_]+)=/gm)].map(([, name]) => name);
  expect(set.length).toBeGreaterThan(3);
  expect(settingNames).toEqual(expect.arrayContaining(set));
  const allowed = read(".dockerignore")
    .split("\n")
    .flatMap((line) => /^!(.*)$/.exec(line)?.[1] ?? []);
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, paths = ""]) =>
    paths.split(" "),
  );
  expect([...new Set(copied)].sort()).toEqual([...allowed].sort());
});

test("docs/DOCKER.md names settings, variables and files that there are", () => {
  const text = read("docs/DOCKER.md");
  const named = [...text.matchAll(/\b(?:VOICEBOT|SYNAPSE|COTURN)_[A-Z_]+\b/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(10);
  expect([...settingNames, ...variables]).toEqual(expect.arrayContaining(named));
  for (const file of files) expect(text).toContain(file.replace("deploy/", ""));
});
