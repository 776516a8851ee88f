/**
 * A process that has (nearly) no file descriptor left and negotiates: one line of JSON for each number of free
 * descriptors that it tried. Started with a small limit; whether it lives to its last line is the test.
 */
import { closeSync, openSync } from "node:fs";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createEngine } from "../../../src/media/engine/libdatachannel/index.ts";

const FREE = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12];

const engine = createEngine({ clock: systemClock, log: silentLog });
const make = (): ReturnType<typeof engine.createConnection> =>
  engine.createConnection(
    {
      label: "x",
      output: engine.createOutput(),
      ice: { servers: [], allowPrivate: "true" },
      candidateAllowed: () => true,
    },
    { onState() {}, onCandidate() {}, onAudio() {}, onSenderClock() {} },
  );

async function outcome(work: () => Promise<string>): Promise<string> {
  try {
    return (await work()) === "" ? "nothing" : "described";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

// With "fresh", the library meets the shortage before it ever opened anything.
const warm = process.argv[2] === "warm";
const offer = warm ? await make().createOffer() : (process.env["OFFER"] ?? "");
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {
  // All are taken.
}
for (const free of FREE) {
  const lent = taken.splice(0, free);
  for (const descriptor of lent) closeSync(descriptor);
  const connection = make();
  const answering = make();
  const offered = await outcome(() => connection.createOffer());
  connection.close();
  const answered = await outcome(() => answering.createAnswer(offer));
  answering.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  console.log(JSON.stringify({ free, offered, answered }));
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // All are taken again.
  }
}
for (const descriptor of taken) closeSync(descriptor);
console.log(JSON.stringify({ after: await outcome(() => make().createOffer()) }));
await engine.close();
