// The container image, as `npm run image:check` judges it: built without a daemon, looked into, and run.
import { startProc, type Proc } from "../support/proc.ts";

const root = new URL("../../", import.meta.url).pathname;
let check: Proc | null = null;

afterAll(() => check?.stop(60_000));

test("the image holds what it should, and the bot in it plays, records, tells its health and ends in time", async () => {
  check = await startProc({
    name: "image:check",
    command: process.execPath,
    args: [`${root}scripts/image-check.ts`],
    env: { NODE_OPTIONS: undefined, OPUS_FORCE_WASM: undefined, NO_COLOR: "1" },
  });
  const { code } = await check.exited;
  if (code !== 0) throw new Error(check.output);
  expect(check.output).toContain("All of it was true.");
});
