/** The image at work: the demo's steps against the bot in it, what the kernel lets it do, its health, its end. */
import { execFile } from "node:child_process";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { getPriority } from "node:os";
import { join } from "node:path";
import { playsATrack, recordsAMember } from "../../demo/acts.ts";
import type { Report } from "../../demo/report.ts";
import { audioDir, build, type Curtain, type Stage } from "../../demo/stage.ts";
import { childrenOf } from "../../test/support/bot.ts";
import { root, type ImageConfig } from "./buildah.ts";
import { execArgs, type ContainerOptions } from "./container.ts";

/** What `docker stop` gives. */
const STOP_WITHIN_MS = 10_000;
/** The bot calls a sync stale after 90 s. */
const UNHEALTHY_WITHIN_MS = 150_000;

export interface LifeOptions {
  readonly image: { readonly folder: string; readonly config: ImageConfig };
  /** An empty folder for this run. */
  readonly folder: string;
  readonly report: Report;
  readonly curtain: Curtain;
}

/** Rejects when the stage cannot be set; everything else is in the report. */
export async function checkLife({ image, folder, report, curtain }: LifeOptions): Promise<void> {
  const { config } = image;
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, ...idsOf(config));
  const container: ContainerOptions = {
    ...image,
    mounts: [
      { source: data, target: "/data", readOnly: false },
      { source: audioDir, target: "/media", readOnly: true },
    ],
  };
  const env = {
    VOICEBOT_HEALTH_LISTEN: `127.0.0.1:${await freePort()}`,
    VOICEBOT_DATA_DIR: "/data",
    VOICEBOT_MEDIA_DIR: "/media",
  };
  const stage = await build(folder, report, curtain, {
    command: [process.execPath, join(root, "scripts/image-run.ts"), JSON.stringify(container)],
    env,
  });
  const inside = new Inside(config, stage);
  await checkConfinement(inside, report);
  await playsATrack(stage, report);
  await recordsAMember(stage, report, folder);
  checkPriority(stage, report);

  report.title("Health, and the end");
  await checkHealth(inside, report, "well", (code) => code === 0, 30_000);
  await checkStop(stage, report, "stopped");
  await stage.bot.startAgain();
  await checkHealth(inside, report, "well after a restart", (code) => code === 0, 60_000);
  await stage.homeserver.stop();
  report.say("The homeserver is away; the bot may wait 90 s for an answer …");
  await checkHealth(inside, report, "the homeserver away", (code) => code === 1, UNHEALTHY_WITHIN_MS);
  await checkStop(stage, report, "stopped while it is away");
}

/** Commands in the running container. */
class Inside {
  readonly #config: ImageConfig;
  readonly #stage: Stage;

  constructor(config: ImageConfig, stage: Stage) {
    this.#config = config;
    this.#stage = stage;
  }

  /** The container's first process, by its id outside: image-run has unshare as its child, and that has it. */
  get firstPid(): number {
    const [unshare = 0] = childrenOf(this.#stage.bot.proc.pid);
    return childrenOf(unshare)[0] ?? 0;
  }

  get healthCommand(): string[] {
    return this.#config.Healthcheck.Test.slice(1);
  }

  /** @returns exit code and everything that it said */
  async run(...command: string[]): Promise<{ code: number; said: string }> {
    const pid = this.firstPid;
    // What the container was started with, as a runtime hands it on.
    const env = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
    const [program, ...args] = execArgs({ ...this.#config, Env: env }, pid, command);
    const timeout = this.#config.Healthcheck.Timeout / 1e6;
    return new Promise((resolve) => {
      execFile(program, args, { timeout }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
        resolve({ code, said: `${stdout}${stderr}`.trim() });
      });
    });
  }
}

async function checkConfinement(inside: Inside, report: Report): Promise<void> {
  report.title("What the bot in the container may do");
  const status = readFileSync(`/proc/${inside.firstPid}/status`, "utf8");
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "?";
  const isFirst = field("Name") === "tini" && field("NSpid").endsWith("\t1");
  report.check("process 1", isFirst, `${field("Name")}, ${field("NSpid").split("\t").at(-1)}`, "tini, 1");
  report.check("user ids", !/(^|\s)0(\s|$)/.test(field("Uid")), field("Uid").replaceAll("\t", " "), "not 0");
  const powers = ["CapPrm", "CapEff", "CapBnd", "CapAmb"].map(field);
  report.check(
    "capabilities",
    powers.every((bits) => /^0+$/.test(bits)),
    powers[1] ?? "",
    "none",
  );
  report.check("no new privileges", field("NoNewPrivs") === "1", field("NoNewPrivs"), "1");
  for (const [path, mayWrite] of [
    ["/app/x", false],
    ["/media/x", false],
    ["/data/x", true],
    ["/tmp/x", true],
  ] as const) {
    const { code } = await inside.run("sh", "-c", `touch ${path} && rm ${path}`);
    report.check(
      `writes ${path}`,
      (code === 0) === mayWrite,
      code === 0 ? "yes" : "no",
      mayWrite ? "yes" : "no",
    );
  }
  const mounts = readFileSync(`/proc/${inside.firstPid}/mountinfo`, "utf8").split("\n");
  const ownRoot = mounts.find((line) => line.split(" ")[4] === "/")?.split(" ")[5] ?? "?";
  report.check("root file system", ownRoot.split(",").includes("ro"), ownRoot, "ro");
}

/** Sound is sent in time on a busy machine, too, where the limit may be raised. */
function checkPriority({ bot }: Stage, report: Report): void {
  const [child = 0] = bot.mediaChildren();
  const nice = getPriority(child);
  const limit = /^Max nice priority\s+(\d+)/m.exec(
    readFileSync(`/proc/${child || "self"}/limits`, "utf8"),
  )?.[1];
  const wanted = limit === "30" ? -10 : 0;
  if (wanted === 0) report.say("This machine does not let a container raise its priority.");
  report.check("priority of the sound", child > 0 && nice === wanted, `nice ${nice}`, `nice ${wanted}`);
}

/** Asks as the container's runtime does, until the answer is right. */
async function checkHealth(
  inside: Inside,
  report: Report,
  when: string,
  isRight: (code: number) => boolean,
  withinMs: number,
): Promise<void> {
  const untilMs = Date.now() + withinMs;
  let answer = await inside.run(...inside.healthCommand);
  while (!isRight(answer.code) && Date.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    answer = await inside.run(...inside.healthCommand);
  }
  if (answer.said !== "") report.say(`${inside.healthCommand.join(" ")}: ${answer.said.split("\n")[0]}`);
  const wanted = isRight(0) ? "0" : "1";
  report.check(`health check: ${when}`, isRight(answer.code), `exit ${answer.code}`, `exit ${wanted}`);
}

async function checkStop({ bot }: Stage, report: Report, what: string): Promise<void> {
  const beganMs = performance.now();
  const { code, signal } = await bot.stop();
  const seconds = (performance.now() - beganMs) / 1000;
  const inTime = code === 0 && seconds * 1000 < STOP_WITHIN_MS;
  report.check(what, inTime, `exit ${code ?? signal} after ${seconds.toFixed(1)} s`, "exit 0 within 10 s");
}

const idsOf = ({ User }: ImageConfig): [number, number] => {
  const [uid, gid] = User.split(":").map(Number);
  return [uid ?? NaN, gid ?? NaN];
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
