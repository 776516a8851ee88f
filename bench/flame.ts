// A profile of Node (`--cpu-prof`) as a flame graph: `node bench/flame.ts FILE.cpuprofile [SECONDS TO SKIP] > FILE.svg`.
// Width is time on the processor; what is thinner than a third of a percent is left out.
import { readFileSync } from "node:fs";
import { z } from "zod";

const WIDTH = 1200;
const ROW = 17;
const LEAST = 1 / 300;

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

interface Frame {
  name: string;
  time: number;
  children: Map<string, Frame>;
}

const [file = "", skip = "0"] = process.argv.slice(2);
const profile = profileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const parents = new Map(profile.nodes.flatMap(({ id, children }) => children.map((child) => [child, id])));

const nameOf = (id: number): string => {
  const { functionName, url, lineNumber } = nodes.get(id)!.callFrame;
  const place = url
    .replace(/^file:\/\//, "")
    .split("/")
    .slice(-2)
    .join("/");
  return `${functionName || "(anonymous)"}${place === "" ? "" : ` ${place}:${lineNumber + 1}`}`;
};

const root: Frame = { name: "all", time: 0, children: new Map() };
let atUs = 0;
for (const [index, sample] of profile.samples.entries()) {
  const deltaUs = profile.timeDeltas[index] ?? 0;
  atUs += deltaUs;
  if (atUs < Number(skip) * 1e6 || nameOf(sample).startsWith("(idle)")) continue;
  const stack: number[] = [];
  for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) stack.unshift(id);
  root.time += deltaUs;
  let frame = root;
  for (const id of stack.slice(1)) {
    const name = nameOf(id);
    const child = frame.children.get(name) ?? { name, time: 0, children: new Map() };
    frame.children.set(name, child);
    child.time += deltaUs;
    frame = child;
  }
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
const colour = (name: string): string => {
  if (name.includes("node:") || name.startsWith("(")) return "#c9c9c9";
  return /libdatachannel\/library|node\/index|dist\/index/.test(name) ? "#f2a65a" : "#8fc1e3";
};
const boxes: string[] = [];
let depth = 0;
function draw(frame: Frame, x: number, level: number): void {
  const width = (frame.time / root.time) * WIDTH;
  depth = Math.max(depth, level);
  const share = `${((frame.time / root.time) * 100).toFixed(1)} %`;
  const label = frame.name.slice(0, Math.floor(width / 6.2));
  const box = `x="${x.toFixed(1)}" y="${level * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}"`;
  const text =
    label.length < 3 ? "" : `<text x="${(x + 2).toFixed(1)}" y="${level * ROW + 12}">${escape(label)}</text>`;
  boxes.push(
    `<g><title>${escape(frame.name)}, ${share}</title><rect ${box} fill="${colour(frame.name)}"/>${text}</g>`,
  );
  let at = x;
  for (const child of [...frame.children.values()].toSorted((a, b) => b.time - a.time)) {
    if (child.time / root.time >= LEAST) draw(child, at, level + 1);
    at += (child.time / root.time) * WIDTH;
  }
}
draw(root, 0, 0);
const height = (depth + 1) * ROW;
console.log(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">\n${boxes.join("\n")}\n</svg>`,
);
