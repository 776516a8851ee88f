import { joinInAnyOrder, storm } from "./mesh.ts";

// The same with many more runs: test/long/channel-mesh.test.ts.
describe("a mesh of bots", () => {
  test("joins in any order and ends connected, all to all", () => joinInAnyOrder(20));

  test("survives whatever happens in whatever order", () => storm(12));
});
