import type { MediaPlane, PlaneEvent, PlaneState } from "../../../src/media/plane.ts";
import { SpreadPlane } from "../../../src/media/spread.ts";
import { FakeChildPlane } from "../../fakes/child-plane.ts";
import { FakeClock } from "../../fakes/clock.ts";

const ice = { servers: [], allowPrivate: "true" as const };
const clock = new FakeClock(0);
let children: FakeChildPlane[];
let spread: SpreadPlane;

function start({ count = 2, latencyMs = 0 } = {}): void {
  children = [];
  spread = new SpreadPlane({
    children: count,
    createChild: () => {
      const child = new FakeChildPlane({ clock, latencyMs });
      children.push(child);
      return child;
    },
  });
}
beforeEach(() => start());
afterEach(() => spread.close());

interface Room {
  name: string;
  plane: MediaPlane;
  events: PlaneEvent[];
  states: PlaneState[];
  leave: () => void;
}

function room(name: string): Room {
  const plane = spread.room(name);
  const [events, states]: [PlaneEvent[], PlaneState[]] = [[], []];
  plane.onEvent((event) => events.push(event));
  const leave = plane.onState((state) => states.push(state));
  return { name, plane, events, states, leave };
}
const open = ({ plane, name }: Room): Promise<object> =>
  plane.request({ kind: "channel.open", channel: name, ice, bitrate: 64_000 });
const close = ({ plane, name }: Room): Promise<object> =>
  plane.request({ kind: "channel.close", channel: name });
const play = ({ plane, name }: Room): Promise<object> =>
  plane.request({
    ...{ kind: "play.start", channel: name, track: "t", source: { path: "a" }, positionMs: 0 },
    paused: false,
  });
/** Index of the child that has the channel. */
const childOf = ({ name }: Room): number => children.findIndex((child) => child.isOpen(name));
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `room ${index}`);

async function rooms(count: number): Promise<Room[]> {
  const all = names(count).map(room);
  for (const each of all) await open(each);
  return all;
}

test("8 rooms are 4 on each of 2 children, forked when they are needed", async () => {
  expect(spread.children).toEqual([]);
  const first = await rooms(2);
  expect(spread.children.map((child) => child.rooms)).toEqual([2]);
  const more = names(6).map((name) => room(`more ${name}`));
  for (const each of more) await open(each);
  expect(spread.children.map((child) => child.rooms)).toEqual([4, 4]);
  const at = [...first, ...more].map(childOf);
  expect(at.filter((index) => index === 0)).toHaveLength(4);
  expect(at.filter((index) => index === 1)).toHaveLength(4);
});

test("a child dies: its rooms lose it, come back to the new one, and the others notice nothing", async () => {
  const all = await rooms(8);
  for (const each of all) await play(each);
  const lost = all.filter((each) => childOf(each) === 1);
  const others = all.filter((each) => childOf(each) === 0);
  for (const { events } of all) events.length = 0;
  children[1]!.crash();
  expect(spread.state).toBe("down");
  expect(lost.map(({ plane, states }) => [plane.state, states])).toEqual(lost.map(() => ["down", ["down"]]));
  await expect(play(lost[0]!)).rejects.toMatchObject({ code: "media_plane_down" });
  children[1]!.up();
  expect(spread.state).toBe("up");
  expect(lost.map(({ states }) => states)).toEqual(lost.map(() => ["down", "up"]));
  // Whatever they ask before, the channel is not there.
  await expect(play(lost[0]!)).rejects.toMatchObject({ code: "not_found" });
  for (const each of lost) {
    await open(each);
    await play(each);
  }
  clock.tick(1_000);
  expect(lost.map(childOf)).toEqual(lost.map(() => 1));
  expect(others.map(childOf)).toEqual(others.map(() => 0));
  expect(others.map(({ plane, states }) => [plane.state, states])).toEqual(others.map(() => ["up", []]));
  expect(spread.children.map((child) => child.rooms)).toEqual([4, 4]);
  for (const { name, events } of all) {
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events.map((event) => event.channel))).toEqual(new Set([name]));
  }
});

test("who was lost together comes back together, so that what kills a child stays with it", async () => {
  const [one, two, three] = await rooms(3);
  expect([one, two, three].map((each) => childOf(each!))).toEqual([0, 0, 1]);
  children[0]!.crash();
  children[0]!.up();
  await open(one!);
  for (const peer of ["a", "b", "c", "d", "e", "f", "g", "h"])
    await one!.plane.request({ kind: "peer.offer", channel: one!.name, peer });
  await open(two!);
  expect(childOf(two!)).toBe(0);
});

test("a room that opens its channel while a child is being replaced goes to another", async () => {
  await rooms(4);
  children[0]!.crash();
  const late = room("late");
  expect(late.plane.state).toBe("up");
  await open(late);
  expect(childOf(late)).toBe(1);
  children[1]!.crash();
  expect(late.states).toEqual(["down"]);
  const later = room("later");
  expect(later.plane.state).toBe("down");
  await expect(open(later)).rejects.toMatchObject({ code: "media_plane_down", retryable: true });
  children[0]!.up();
  expect(later.states).toEqual(["up"]);
  expect(late.states).toEqual(["down"]);
});

test("a channel stays with its child until it is closed, and is free again then", async () => {
  const all = await rooms(4);
  const [one, , three] = all;
  for (let i = 0; i < 3; i++) await open(one!);
  expect(childOf(one!)).toBe(0);
  expect(childOf(three!)).toBe(1);
  await close(one!);
  expect(spread.children.map((child) => child.rooms)).toEqual([1, 2]);
  await expect(play(one!)).rejects.toMatchObject({ code: "not_found" });
  const extra = room("extra");
  await open(extra);
  await open(one!);
  expect(spread.children.map((child) => child.rooms)).toEqual([3, 2]);
});

test("a channel that is opened again while it closes stays where it is", async () => {
  start({ latencyMs: 50 });
  const one = room("one");
  const opened = open(one);
  clock.tick(50);
  await opened;
  const both = [close(one), open(one)];
  clock.tick(50);
  await Promise.all(both);
  expect(spread.children).toMatchObject([{ rooms: 1 }]);
  const played = play(one);
  clock.tick(50);
  await played;
});

test("a channel that was asked for while its child was started anew is in the new one", async () => {
  start({ count: 1 });
  const one = room("one");
  await open(one);
  const child = children[0]!;
  child.crash();
  // As a supervisor does: what is asked while the next child starts waits for it.
  const started = Promise.withResolvers<void>();
  const request = child.request.bind(child);
  child.request = async (asked) => {
    await started.promise;
    return request(asked);
  };
  const opened = open(one);
  child.up();
  started.resolve();
  await opened;
  await play(one);
  expect(spread.children).toMatchObject([{ rooms: 1 }]);
});

test("whoever is connected makes a room bigger, until they leave", async () => {
  start({ count: 3 });
  const [big, small] = await rooms(2);
  const channel = big!.name;
  for (const peer of ["a", "b", "c", "d", "e", "f", "g", "h"])
    await big!.plane.request({ kind: "peer.offer", channel, peer });
  const third = room("third");
  await open(third);
  expect(childOf(third)).toBe(1);
  await close(small!);
  for (const peer of ["a", "b", "c", "d"]) await big!.plane.request({ kind: "peer.close", channel, peer });
  for (const peer of ["e", "f", "g", "h"])
    children[0]!.emit({ kind: "peer.state", channel, peer, state: "failed" });
  await close(third);
  await open(third);
  await open(small!);
  expect(new Set([childOf(third), childOf(small!)])).toEqual(new Set([0, 1]));
});

test("what belongs to no channel starts no second child", async () => {
  await rooms(2);
  const { plane } = room("other");
  expect(await plane.request({ kind: "ping" })).toEqual({});
  await plane.request({ kind: "probe", source: { path: "a" } });
  expect(children[1]!.requests).toEqual([]);
});

test("a closed room does not say so to the others, a closed plane to all", async () => {
  const [one, two] = await rooms(2);
  await one!.plane.close();
  expect(one!.states).toEqual(["closed"]);
  expect(childOf(one!)).toBe(-1);
  expect(two!.states).toEqual([]);
  await expect(open(one!)).rejects.toMatchObject({ code: "media_plane_down", retryable: false });
  const idle = room("idle");
  await spread.close();
  expect(spread.state).toBe("closed");
  expect(two!.states).toEqual(["closed"]);
  expect(idle.states).toEqual(["closed"]);
  await expect(open(idle)).rejects.toMatchObject({ code: "media_plane_down" });
  await expect(close(idle)).rejects.toMatchObject({ code: "media_plane_down" });
});

test("who listens no more hears no more", async () => {
  const [one] = await rooms(1);
  one!.leave();
  one!.leave();
  children[0]!.crash();
  expect(one!.states).toEqual([]);
});
