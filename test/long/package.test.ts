// Installed from its package into an empty folder, as somebody does who has neither the source nor its settings for npm.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startProc } from "../support/proc.ts";
import { startSynapse } from "../support/synapse.ts";

const root = new URL("../../", import.meta.url).pathname;
const minute = 60_000;

/** What npm gives its scripts says where they were started, and would be taken for the user's own settings. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([key]) => !/^(npm_|NODE_OPTIONS$|VOICEBOT_|OPUS_)/i.test(key)),
);

async function sh(
  cwd: string,
  command: string,
  ...args: string[]
): Promise<{ code: number; output: string; stdout: string }> {
  try {
    const options = { cwd, env, timeout: 5 * minute, maxBuffer: 64 * 1024 * 1024 };
    const { stdout, stderr } = await promisify(execFile)(command, args, options);
    return { code: 0, output: stdout + stderr, stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { code, output: stdout + stderr, stdout };
  }
}

test(
  "npm install of the package in an empty folder, then npx",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "voicebot-package-"));
    const synapse = await startSynapse();
    try {
      const folder = join(dir, "empty");
      await mkdir(folder);
      const pack = await sh(root, "npm", "pack", "--ignore-scripts", "--pack-destination", dir);
      expect(pack).toMatchObject({ code: 0 });
      const [tarball = ""] = (await readdir(dir)).filter((name) => name.endsWith(".tgz"));
      expect(
        await sh(folder, "npm", "install", "--prefer-offline", "--no-audit", join(dir, tarball)),
      ).toMatchObject({ code: 0 });

      // Nothing of it has an install step, so that nothing is fetched but from the registry.
      const lock = JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8")) as {
        packages: Record<string, { hasInstallScript?: boolean }>;
      };
      const scripts = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
      expect(
        scripts.map(([path]) => path).filter((path) => path !== "node_modules/matrix-voice-bot"),
      ).toEqual([]);

      const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
        version: string;
      };
      const asked = await sh(folder, "npx", "matrix-voice-bot", "--version");
      expect(asked).toEqual({ code: 0, output: expect.stringContaining(version), stdout: `${version}\n` });
      expect(await sh(folder, "npx", "matrix-voice-bot", "--help")).toMatchObject({ code: 0 });
      const refused = await sh(folder, "npx", "matrix-voice-bot", "run");
      expect(refused.code).toBe(78);
      expect(refused.output).toContain("VOICEBOT_HOMESERVER_URL: is not set");

      const user = await synapse.createUser("voicebot");
      const bot = await startProc({
        command: join(folder, "node_modules/.bin/matrix-voice-bot"),
        args: ["run", "--homeserver-url", synapse.baseUrl, "--data-dir", join(dir, "data")],
        cwd: folder,
        env: { VOICEBOT_ACCESS_TOKEN: user.accessToken, NODE_OPTIONS: undefined, OPUS_FORCE_WASM: undefined },
      });
      await bot.waitForJson((line) => line["event"] === "ready", minute);
      expect(await bot.stop(12_000)).toMatchObject({ code: 0 });
    } finally {
      await synapse.stop();
      await rm(dir, { recursive: true });
    }
  },
  10 * minute,
);
