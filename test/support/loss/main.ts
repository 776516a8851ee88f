// Runs listeners behind lossy ways at once and prints their figures, one JSON line each. In a network namespace only: see
// `listenWithLoss`.
import { decodeFile } from "../decode.ts";
import { PagePeers } from "../page-peer.ts";
import { listen, type LossCase } from "./listener.ts";

const cases = JSON.parse(process.argv[2] ?? "[]") as LossCase[];
const pages = await PagePeers.start();
try {
  const reference = await decodeFile(cases[0]!.track);
  await Promise.all(
    cases.map(async (each) => {
      const figures = await listen(pages, reference, each);
      console.log(JSON.stringify({ loss: each.loss, protection: each.protection, ...figures }));
    }),
  );
} finally {
  await pages.close();
}
