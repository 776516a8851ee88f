// What listeners hear of music whose packets are lost: better with what the bot does about it than without. How much better
// is in docs/BENCHMARKS.md. Needs root.
import { jest } from "@jest/globals";
import type { Protection } from "../support/loss/listener.ts";
import { listenWithLoss, type LossResult } from "../support/loss/scene.ts";

jest.setTimeout(300_000);

/** A listener of each kind at once, so that the machine is as busy for all. */
async function listen(loss: number): Promise<Record<Protection, LossResult>> {
  const [off, fec, red] = await listenWithLoss(
    (["off", "fec", "red"] as const).map((protection) => ({ loss, protection })),
    { warmUpMs: 30_000, measureMs: 40_000 },
  );
  return { off: off!, fec: fec!, red: red! };
}

test.each([0.05, 0.2])("at a loss of %d less is made up, and more is like the music", async (loss) => {
  const { off, fec, red } = await listen(loss);
  expect(off).toMatchObject({ lossReported: null, encoder: { fec: false, bitrate: 128_000 } });
  expect(fec).toMatchObject({ redundancy: null, encoder: { fec: true } });
  expect(red).toMatchObject({ redundancy: loss > 0.1 ? 2 : 1, encoder: { fec: false } });
  for (const { lossReported } of [fec, red]) expect(lossReported! / loss).toBeGreaterThan(0.3);
  for (const { concealed } of [fec, red]) expect(concealed).toBeLessThan(off.concealed * 0.5);
  expect(red.correlation).toBeGreaterThan(off.correlation);
});

test("without loss nobody gets anything twice, and the encoder keeps its music mode", async () => {
  const { fec, red } = await listen(0);
  expect(fec).toMatchObject({ lossReported: 0, redundancy: null, encoder: { fec: false, bitrate: 128_000 } });
  expect(red).toMatchObject({ lossReported: 0, redundancy: 0, encoder: { fec: false, bitrate: 128_000 } });
});
