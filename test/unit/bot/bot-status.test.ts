import { Tally } from "../../../src/base/tally.ts";
import { readStatus, type StatusSources } from "../../../src/bot/bot-status.ts";
import { FakeClock } from "../../fakes/clock.ts";

type Children = NonNullable<StatusSources["parts"]>["plane"]["children"];

const withChildren = (children: Children): ReturnType<typeof readStatus> => {
  const tally = new Tally();
  tally.count("child_failed", "media", 2);
  return readStatus({
    ...{ version: "1.2.3", clock: new FakeClock(1_000), tally, startedMs: 0, phase: "running", channels: [] },
    parts: {
      session: {
        sync: { ageMs: 0, turnMs: 0 },
        rooms: new Map(),
        outbox: { size: 0, oldestMs: 0 },
      } as unknown as NonNullable<StatusSources["parts"]>["session"],
      plane: { state: "up", engine: "fake", children },
      archive: { counts: { running: 0, waiting: 0 } },
      levels: { progress: { files: 9, waiting: 3 } },
    },
  });
};

test("all media children count: how many, their memory together, how often one failed", () => {
  // Of a process that is there: this one, for both.
  const children = [
    { pid: process.pid, rooms: 3 },
    { pid: process.pid, rooms: 1 },
  ];
  const { media, memory, levels } = withChildren(children);
  expect(levels).toEqual({ files: 9, waiting: 3 });
  expect(media).toEqual({ state: "up", engine: "fake", failures: 2, children });
  const one = withChildren(children.slice(1)).memory.media ?? Infinity;
  expect(one).toBeGreaterThan(20e6);
  expect(memory.media).toBeGreaterThan(1.5 * one);
});

test("a child that has just gone takes no memory, and without any there is nothing to tell", () => {
  const gone = { pid: 2 ** 22 + 1, rooms: 0 };
  expect(withChildren([gone]).memory.media).toBeNull();
  expect(withChildren([{ pid: process.pid, rooms: 1 }, gone]).memory.media).toBeGreaterThan(20e6);
  expect(withChildren([]).memory.media).toBeNull();
});
