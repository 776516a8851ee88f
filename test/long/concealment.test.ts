// What a listener's decoder has to make up, measured as docs/BENCHMARKS.md defines it: over a minute, after 3 s.
import { jest } from "@jest/globals";
import { sleep, Stage } from "../support/stage.ts";

jest.setTimeout(180_000);

test("over a minute of music next to nothing is concealed", async () => {
  const stage = await Stage.start();
  try {
    const scene = await stage.scene();
    const { page } = await scene.hostPage();
    await page.join();
    await scene.command("!play first light", /Now playing/);
    await page.firstSound(scene.botKey, 0);
    await sleep(3_000);
    expect(await page.concealment(scene.botKey, 60_000)).toBeLessThan(0.001);
  } finally {
    await stage.close();
  }
});
