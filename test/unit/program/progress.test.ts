import { Progress } from "../../../src/program/progress.ts";

test.each([
  [true, "\r\x1b[K1 of 2\r\x1b[K"],
  [false, ""],
])("progress is shown in one line, at a terminal only (%p)", (isTTY, expected) => {
  let written = "";
  const write = (text: string | Uint8Array): boolean => {
    written += String(text);
    return true;
  };
  const progress = new Progress({ isTTY, write });
  progress.show("1 of 2");
  progress.clear();
  expect(written).toBe(expected);
});
