#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// The young generation stays at its first size: the default lets it grow to 32 MB, which an idle bot never gives back.
setFlagsFromString("--semi-space-growth-factor=1");

// Kept free of imports that an old Node cannot load, so that it can say what is wrong.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `matrix-voice-bot needs Node.js 22.15 or newer; this is ${process.versions.node}. See https://nodejs.org for a current one.\n`,
  );
  process.exitCode = 78;
} else {
  const { main } = await import("./program/main.ts");
  await main(process.argv);
}
