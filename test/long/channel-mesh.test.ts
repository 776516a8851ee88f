import { dialectStorm, joinInAnyOrder, storm } from "../unit/channel/mesh.ts";

describe("a mesh of bots, many times over", () => {
  test("joins in any order and ends connected, all to all", () => joinInAnyOrder(1000), 300_000);

  test("survives whatever happens in whatever order", () => storm(1000), 600_000);

  test(
    "with strict web clients and README readers in it survives that as well",
    () => dialectStorm(1000),
    900_000,
  );
});
