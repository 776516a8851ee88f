import { expect, test } from "@jest/globals";
import { FetchLimits } from "../../../src/fetch/limits.ts";

const { signal } = new AbortController();
const ada = { room: "!a:example.org", sender: "@ada:example.org" };
const tooMany = expect.objectContaining({ code: "rate_limited" });

test("fetches of one person come back with time; a room's go on", () => {
  const limits = new FetchLimits();
  for (let i = 0; i < 12; i++) limits.take(ada, 0);
  expect(() => limits.take(ada, 0)).toThrow(tooMany);
  limits.take({ ...ada, sender: null }, 0);
  limits.take(ada, 15_000);
  expect(() => limits.take(ada, 15_000)).toThrow(tooMany);
});

test("a room has its share, whoever asks in it", () => {
  const limits = new FetchLimits();
  const someone = (i: number): typeof ada => ({ ...ada, sender: `@u${i}:example.org` });
  for (let i = 0; i < 60; i++) limits.take(someone(i), 0);
  expect(() => limits.take(someone(60), 0)).toThrow(tooMany);
  limits.take({ room: "!b:example.org", sender: "@u60:example.org" }, 0);
});

test("who had too many bytes waits until they are made up for", () => {
  const limits = new FetchLimits();
  limits.take(ada, 0);
  limits.spend(ada, 3e9, 0);
  expect(() => limits.take(ada, 60_000)).toThrow(tooMany);
  limits.take(ada, 3_601_000);
});

test("of a room three at once, the others wait their turn without holding up other rooms", async () => {
  const limits = new FetchLimits();
  const queue = { ...ada, sender: null };
  const leave = await Promise.all([1, 2, 3].map(() => limits.enter(queue, signal)));
  let entered = false;
  const fourth = limits.enter(ada, signal).then((out) => {
    entered = true;
    return out;
  });
  const elsewhere = await limits.enter({ room: "!b:example.org", sender: null }, signal);
  expect(entered).toBe(false);
  elsewhere();
  await new Promise(setImmediate);
  expect(entered).toBe(false);
  leave[0]?.();
  leave[0]?.();
  (await fourth)();
  const again = await limits.enter(ada, signal);
  again();
});

test("two at once are one person's, and the next track of the room goes past them", async () => {
  const limits = new FetchLimits();
  const [first] = await Promise.all([limits.enter(ada, signal), limits.enter(ada, signal)]);
  let entered = false;
  const third = limits.enter(ada, signal).then(() => (entered = true));
  (await limits.enter({ ...ada, sender: null }, signal))();
  expect(entered).toBe(false);
  first?.();
  await third;
});

test("who waits can give up, and too many cannot wait", async () => {
  const limits = new FetchLimits();
  for (let i = 0; i < 2; i++) await limits.enter(ada, signal);
  const owner = new AbortController();
  const waiting = Array.from({ length: 100 }, () => limits.enter(ada, owner.signal));
  await expect(limits.enter(ada, signal)).rejects.toEqual(tooMany);
  owner.abort();
  for (const one of waiting) await expect(one).rejects.toMatchObject({ code: "cancelled" });
  await expect(limits.enter(ada, owner.signal)).rejects.toMatchObject({ code: "cancelled" });
});
