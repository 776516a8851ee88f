// For `node --import`: what UNLOADABLE names (engines, separated by commas) does not load in this process and those that it
// starts: libdatachannel's binary as on a machine that it is not made for, wrtc as where it was not installed.
import { registerHooks } from "node:module";

const names = (process.env["UNLOADABLE"] ?? "").split(",");

if (names.includes("libdatachannel")) {
  const load = process.dlopen.bind(process);
  process.dlopen = (module: object, filename: string, flags?: number) => {
    if (/node[_-]datachannel/.test(filename)) throw new Error(`${filename}: invalid ELF header`);
    if (flags === undefined) load(module, filename);
    else load(module, filename, flags);
  };
}
if (names.includes("wrtc")) {
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier.startsWith("@roamhq/wrtc")) throw new Error(`Cannot find package '${specifier}'`);
      return next(specifier, context);
    },
  });
}
