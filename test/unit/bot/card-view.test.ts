// What the card says.
import { cardView, type CardFacts } from "../../../src/bot/card/view.ts";
import { emptyQueue, type StoredSource, type Track } from "../../../src/player/queue.ts";

const library: StoredSource = { kind: "library", path: "x.mp3" };
const track = (more: Partial<Track> = {}): Track => ({
  ...{ id: "t", title: "Title", artist: "Artist", durationMs: 100_000, requester: "@ann:test" },
  source: library,
  ...more,
});
const view = (more: Partial<CardFacts["state"]>, facts: Partial<CardFacts> = {}) =>
  cardView({
    state: { ...emptyQueue, ...more },
    ...{ votes: null, cover: null, nameOf: (userId: string) => userId, language: "en" as const },
    ...facts,
  });
const on = (of: Track, positionMs = 0) => ({ track: of, phase: "playing" as const, positionMs });
const lines = (of: Track, positionMs = 0): string[] =>
  view({ now: on(of, positionMs) }).message.text.split("\n");

test("title, state, bar, times, who for, volume, what comes again and next, and votes; in the room's language", () => {
  const state = {
    now: { ...on(track(), 50_000), phase: "paused" as const },
    upcoming: [track({ id: "u", title: "Second" }), track({ id: "v" }), track({ id: "w" })],
    ...{ loop: "track" as const, volume: 80 },
  };
  const facts = { votes: { votes: 2, needed: 3 }, nameOf: () => "Ann" };
  expect(view(state, facts).message.text.split("\n")).toEqual([
    "⏸ Paused: Artist – Title",
    "━━━━━━━━●─────── 0:50 / 1:40",
    "For Ann · volume 80 %",
    "This track is repeated.",
    "Next: Artist – Second (1:40), and 2 more",
    "2 of 3 want to skip this.",
  ]);
  expect(view(state, { ...facts, language: "de" }).message.text).toMatch(
    /^⏸ Angehalten: .*\n.*\nFür Ann · L/,
  );
  expect(view({}).message.text).toBe("⏹ Nothing is playing.");
});

test.each([
  [-5_000, "●───────────────"],
  [0, "●───────────────"],
  [6_249, "●───────────────"],
  [6_251, "━●──────────────"],
  [99_999, "━━━━━━━━━━━━━━━●"],
  [250_000, "━━━━━━━━━━━━━━━●"],
])("the bar at %d ms of 100 s", (positionMs, bar) => {
  expect(lines(track(), positionMs)[1]?.split(" ")[0]).toBe(bar);
});

test("what is live says so and has no bar; a file of unknown length has neither", () => {
  const radio: StoredSource = { kind: "stream", url: "https://radio.example/live", format: "mp3" } as never;
  const live = view({ now: on(track({ durationMs: null, source: radio })) });
  expect(live.message.text.split("\n").slice(1, 3)).toEqual(["https://radio.example/live", "live"]);
  expect(live.hasBar).toBe(false);
  expect(lines(track({ durationMs: null }))[1]).toMatch(/^For /);
});

test.each([
  ["an address", "https://example.org/a b.mp3", "https://example.org/a%20b.mp3"],
  ["one with a password", "https://user:secret@example.org/a.mp3", null],
  ["a script", "javascript:alert(1)", null],
  ["no address", "x", null],
  ["a long one", `https://example.org/${"a".repeat(400)}`, null],
])("the link of %s", (_, url, shown) => {
  const source = { kind: "url", url } as unknown as StoredSource;
  const [, second] = lines(track({ source }));
  if (shown === null) expect(second).toMatch(/●/);
  else expect(second).toBe(shown);
});

test("texts of strangers stay on their line, and are text in HTML as well", () => {
  const evil = "<img src=x onerror=alert(1)>\nNext: forged\u202e `code` **bold** {volume}";
  const facts = { nameOf: () => "@room <b>\nhi" };
  const { message } = view(
    { now: on(track({ title: evil, artist: null })), upcoming: [track({ title: evil })] },
    facts,
  );
  expect(message.text.split("\n")).toHaveLength(4);
  expect(message.html.replaceAll(/<\/?strong>|<br>/g, "")).not.toMatch(/[<>]/);
  expect(message.html).toContain("&lt;img src=x");
  expect(message.html).not.toMatch(/<code>/);
  expect(message.text).not.toMatch(/\u202e/);
});

test("the cover is half as large as it is, keeps its shape, and costs the text nothing", () => {
  const now = on(track());
  const cover = { mxc: 'mxc://hs/a"><script>', width: 320, height: 3 };
  const shown = view({ now }, { cover });
  expect(shown.message.html).toBe(
    `${view({ now }).message.html}<br><img src="mxc://hs/a&quot;&gt;&lt;script&gt;" alt="" width="160" height="2">`,
  );
  expect(shown).toMatchObject({ cover: cover.mxc, fixed: view({ now }).fixed });
  expect(shown.message.text).toBe(view({ now }).message.text);
  const small = view({ now }, { cover: { mxc: "mxc://hs/a", width: 40, height: 50 } });
  expect(small.message.html).toMatch(/width="40" height="50">$/);
  expect(view({}, { cover }).message.html).not.toMatch(/img/);
});

test("what is fixed changes with all that it says but the time", () => {
  const now = on(track(), 10_000);
  const { fixed } = view({ now });
  expect(view({ now: on(track(), 60_000) }).fixed).toBe(fixed);
  for (const other of [
    view({ now: on(track({ title: "Live title" })) }),
    view({ now: { ...now, phase: "paused" } }),
    view({ now, volume: 50 }),
    view({ now, loop: "queue" }),
    view({ now, upcoming: [track()] }),
    view({ now }, { votes: { votes: 1, needed: 2 } }),
    view({ now }, { language: "de" }),
  ]) {
    expect(other.fixed).not.toBe(fixed);
  }
});

test("what comes in its own time moves on at that, whatever the room's speed is", () => {
  const stream: StoredSource = { kind: "stream", url: "https://radio.example/list.m3u8", format: "hls" };
  const filters = { ...emptyQueue.filters, speed: 1.5 };
  expect(view({ now: on(track({ source: stream })), filters }).speed).toBe(1);
  expect(view({ now: on(track()), filters }).speed).toBe(1.5);
});
