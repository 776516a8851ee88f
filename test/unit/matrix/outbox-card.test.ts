// What a now-playing card may cost the channel: nothing. The card of a busy room beside crowds, against Synapse's limiter.
import { silentLog } from "../../../src/base/log.ts";
import { RoomCard } from "../../../src/bot/card/room-card.ts";
import { emptyQueue, type QueueState, type Track } from "../../../src/player/queue.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { LimitedWorld } from "./limited-world.ts";

const A = "!a:hs";
const B = "!b:hs";
const C = "!c:hs";

/** Plays another track every so often, in a room that talks enough for the card to move down each time. */
function cardIn(world: LimitedWorld, roomId: string, everyMs: number): { close: () => void } {
  const { clock, outbox } = world;
  const listeners = new Set<(state: QueueState) => void>();
  const sinceMs = { track: 0 };
  let state = emptyQueue;
  let closed = false;
  const card = new RoomCard({
    ...{ room: { id: roomId, encrypted: false, displayName: () => "Ann" }, session: { outbox }, clock },
    player: {
      state: () => ({
        ...state,
        now: state.now && { ...state.now, positionMs: clock.now() - sinceMs.track },
      }),
      onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    },
    votes: { tally: () => null, onChange: () => () => undefined },
    covers: { of: () => null, onChange: () => () => undefined },
    settings: { get: (() => "on") as never, onChange: () => () => undefined },
    ...{ documents: new FakeDocuments(), language: () => "en", log: silentLog },
  });
  const next = (): void => {
    if (closed) return;
    const source = { kind: "library", path: "x" } as const;
    const id = `${roomId} ${clock.now()}`;
    const track: Track = { id, title: id, artist: null, durationMs: 300_000, requester: "@ann:hs", source };
    sinceMs.track = clock.now();
    state = { ...state, now: { track, phase: "playing", positionMs: 0 } };
    for (let i = 0; i < 9; i++) {
      card.handle({ type: "m.room.message", eventId: `$${id}${i}`, content: {}, redacts: null } as never);
    }
    for (const listener of listeners) listener(state);
    clock.timer(everyMs, next);
  };
  next();
  return { close: () => ((closed = true), card.close()) };
}

async function play(world: LimitedWorld, scene: () => Promise<void>): Promise<void> {
  try {
    await scene();
  } finally {
    await world.close();
    await world.clock.advance(60_000);
  }
}

const said = (world: LimitedWorld): number => world.sent.filter(({ what }) => what === "said").length;

test("25 who join within a minute of a room whose card moves down every half minute are answered as without it", async () => {
  const world = new LimitedWorld([A]);
  await play(world, async () => {
    await world.join();
    const card = cardIn(world, A, 30_000);
    await world.clock.advance(300_000);
    expect(said(world)).toBeGreaterThan(20);
    const sinceMs = world.clock.now();
    const clients = await world.crowd(A, 25, 60_000);
    await world.clock.advance(240_000);
    // Without a card: 103 s. The card may have taken three of ten tokens when they began, never more.
    expect(Math.max(...clients.map(({ connectedMs }) => (connectedMs ?? Infinity) - sinceMs))).toBeLessThan(
      118_000,
    );
    expect(clients.every(({ connected, forgotten }) => connected && forgotten === 0)).toBe(true);
    expect(world.longestRefreshMs(A)).toBeLessThanOrEqual(20_100);
    card.close();
  });
});

test("three who join at once hear the bot at once, at any time", async () => {
  const world = new LimitedWorld([A]);
  await play(world, async () => {
    await world.join();
    const card = cardIn(world, A, 40_000);
    for (const afterMs of [61_000, 47_000, 52_500, 49_000, 58_000, 45_500]) {
      await world.clock.advance(afterMs);
      const clients = [world.client(A), world.client(A), world.client(A)];
      await world.clock.advance(2_500);
      expect(clients.every(({ connected }) => connected)).toBe(true);
      for (const client of clients) client.close();
      await world.clock.advance(20_000);
    }
    expect(world.refusals).toBe(0);
    card.close();
  });
});

test("in three rooms, where refreshes need all there is, nobody forgets the bot because of cards", async () => {
  const world = new LimitedWorld([A, B, C]);
  await play(world, async () => {
    await world.join();
    const cards = [A, B, C].map((room) => {
      world.client(room);
      return cardIn(world, room, 60_000);
    });
    await world.clock.advance(600_000);
    for (const room of [A, B, C]) {
      expect(world.longestRefreshMs(room, 300_000)).toBeLessThanOrEqual(21_000);
      const client = world.client(room);
      await world.clock.advance(20_000);
      expect((client.connectedMs ?? Infinity) - client.joinedMs).toBeLessThan(11_000);
    }
    expect(world.clients.every(({ connected }) => connected)).toBe(true);
    for (const card of cards) card.close();
  });
});
