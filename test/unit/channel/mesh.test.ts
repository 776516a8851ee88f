import { dialectStorm, joinInAnyOrder, storm } from "./mesh.ts";

// The same with many more runs: test/long/channel-mesh.test.ts.
describe("a mesh of bots", () => {
  test("joins in any order and ends connected, all to all", () => joinInAnyOrder(20));

  test("survives whatever happens in whatever order", () => storm(12));

  test("with strict web clients and README readers in it survives that as well", () => dialectStorm(12));
});
