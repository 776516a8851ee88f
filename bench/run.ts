// `npm run bench` measures what the media plane computes, how long people wait, and the main job; `-- NAME` one of the list
// alone (`networks` and `loss` as root, `memory` takes 70 minutes); `-- --quick` prints a few rows within three minutes and
// keeps nothing.
const BENCHES = [
  ...["cpu", "setup", "main-job"],
  ...[
    "channel",
    "life",
    "stalls",
    "networks",
    "loss",
    "memory",
    "recorder",
    "export",
    "alignment",
    "library",
    "player",
    "levels",
    "seek",
  ],
];
const quick = process.argv.includes("--quick");
const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = names.find((name) => !BENCHES.includes(name));

if (unknown !== undefined) {
  console.error(`There is no bench called ${unknown}: ${BENCHES.join(", ")}`);
  process.exitCode = 64;
} else {
  const usual = quick ? ["cpu", "setup"] : ["cpu", "setup", "main-job"];
  for (const name of names.length > 0 ? names : usual) await import(`./${name}.ts`);
}
