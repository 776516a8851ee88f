// `npm run bench` measures the main job, `npm run bench -- channel` the voice channel, `-- life` what becomes of it after
// faults, `-- stalls` processes that stand still, `-- networks` routers and `-- loss` lost packets (as root).
const BENCHES = ["main-job", "channel", "life", "stalls", "networks", "loss"];

const name = process.argv[2] ?? "main-job";
if (BENCHES.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`There is no bench called ${name}: ${BENCHES.join(", ")}`);
  process.exitCode = 64;
}
