// `npm run bench` measures the main job, `npm run bench -- channel` the voice channel, `-- networks` routers (as root).
const BENCHES = ["main-job", "channel", "networks"];

const name = process.argv[2] ?? "main-job";
if (BENCHES.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`There is no bench called ${name}: ${BENCHES.join(", ")}`);
  process.exitCode = 64;
}
