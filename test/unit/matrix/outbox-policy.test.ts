import * as fc from "fast-check";
import { budgetOf, decide, hasSpare, MAX_IN_FLIGHT } from "../../../src/matrix/outbox-policy.ts";
import {
  emptyOutbox,
  enqueue,
  expire,
  FORGET_LIMIT_MS,
  isLimited,
  MODEL,
  PRIORITIES,
  refused,
  returned,
  RULES,
  settled,
  started,
  taken,
  tokensAt,
  type Item,
  type OutboxState,
  type Priority,
} from "../../../src/matrix/outbox-state.ts";
import { SynapseLimiter } from "../../fakes/limiter.ts";

let nextId = 1;

function item(priority: Priority, more: Partial<Item> = {}): Item {
  return { id: nextId++, roomId: "!a", priority, coalesceKey: null, enqueuedMs: 0, ...more };
}

function holding(...items: Item[]): OutboxState {
  return items.reduce((state, one) => enqueue(state, one).state, emptyOutbox(0));
}

/** Sends everything that may go at `nowMs`, each taken at once. */
function sendAll(state: OutboxState, nowMs: number): { state: OutboxState; sent: Item[] } {
  const sent: Item[] = [];
  for (;;) {
    const decision = decide(state, nowMs);
    if (decision.kind !== "send") return { state, sent };
    sent.push(decision.item);
    state = settled(started(state, decision.item, nowMs), decision.item.id);
  }
}

test("goes by priority, then by age", () => {
  const items = [...PRIORITIES].toReversed().flatMap((priority) => [item(priority), item(priority)]);
  const { sent } = sendAll({ ...holding(...items), lifted: true }, 0);
  expect(sent.map((one) => one.priority)).toEqual(PRIORITIES.flatMap((priority) => [priority, priority]));
  expect(sent[0]?.id).toBeLessThan(sent[1]?.id ?? 0);
});

test("nothing waits: idle", () => {
  expect(decide(emptyOutbox(0), 0)).toEqual({ kind: "idle" });
});

describe("what is left over for what only looks better", () => {
  const having = (tokens: number, ...items: Item[]): OutboxState => ({ ...holding(...items), tokens });

  test("plenty with all tokens there, some down to seven, none below", () => {
    expect([10, 9.9, 7, 6.9, -3].map((tokens) => budgetOf(having(tokens), 0))).toEqual([
      ...["plenty", "some", "some", "none", "none"],
    ]);
    expect(budgetOf(having(6), 5_000)).toBe("some");
  });

  test("what is owed goes first; a refresh may wait for its time, and counts", () => {
    for (const priority of PRIORITIES) {
      expect(budgetOf(having(10, item(priority)), 0)).toBe(priority === "refresh" ? "some" : "none");
    }
    expect(budgetOf(having(7, item("refresh")), 0)).toBe("none");
  });

  test("none while nothing may be sent, never plenty after a refusal, unlimited where more was taken than the default", () => {
    const limited = refused(having(10), 0, 3_000);
    expect(budgetOf(limited, 2_999)).toBe("none");
    expect(budgetOf(limited, 60_000)).toBe("some");
    expect(budgetOf(limited, FORGET_LIMIT_MS)).toBe("plenty");
    expect(budgetOf({ ...having(-5), lifted: true }, 0)).toBe("unlimited");
    expect(budgetOf({ ...having(10, item("answer")), lifted: true }, 0)).toBe("none");
  });
});

describe("one request per room", () => {
  test("a second event of a room waits, one of another room does not", () => {
    const first = item("offer");
    const state = started(holding(first, item("offer"), item("reply", { roomId: "!b" })), first, 0);
    expect(decide(state, 0)).toMatchObject({ kind: "send", item: { roomId: "!b" } });
  });

  test("a LEFT goes beside a slow request of its room, unless that writes the same key", () => {
    const left = item("leave", { coalesceKey: "k" });
    const slow = item("reply");
    expect(decide(started(holding(slow, left), slow, 0), 0)).toMatchObject({ kind: "send", item: left });
    const joining = item("refresh", { coalesceKey: "k" });
    const waiting = enqueue(started(holding(joining), joining, 0), left).state;
    expect(decide(waiting, 0).kind).toBe("wait");
  });

  test("at most a few at once", () => {
    const items = Array.from({ length: 9 }, (_, i) => item("reply", { roomId: `!${i}` }));
    let state = holding(...items);
    let running = 0;
    for (let next = decide(state, 0); next.kind === "send"; next = decide(state, 0), running++) {
      state = started(state, next.item, 0);
    }
    expect(running).toBe(MAX_IN_FLIGHT);
  });
});

describe("coalescing", () => {
  test("a newer event with the key takes the place of the waiting one", () => {
    const [old, other, fresh] = [
      item("card", { coalesceKey: "c" }),
      item("card"),
      item("card", { coalesceKey: "c" }),
    ];
    const { state, replaced } = enqueue(holding(old, other), fresh);
    expect(replaced).toBe(old);
    expect(sendAll(state, 0).sent).toEqual([fresh, other]);
  });

  test("one on its way is not replaced; sent again, it gives way to the newer one", () => {
    const [old, fresh] = [
      item("refresh", { coalesceKey: "c" }),
      item("refresh", { coalesceKey: "c", enqueuedMs: 5 }),
    ];
    const { state, replaced } = enqueue(started(holding(old), old, 0), fresh);
    expect(replaced).toBeNull();
    const back = returned(state, old.id);
    expect(back.replacedBy).toBe(fresh);
    expect(sendAll(back.state, 10).sent).toEqual([fresh]);
  });
});

describe("the budget", () => {
  test("without a 429 nothing of the channel is held back, however much is sent", () => {
    for (const priority of ["leave", "answer", "offer", "refresh", "candidate"] as const) {
      const items = Array.from({ length: 50 }, () => item(priority));
      expect(sendAll(holding(...items), 0).sent).toHaveLength(50);
    }
  });

  test("without a 429 replies leave a reserve, and below it go one at a time", () => {
    const items = Array.from({ length: 9 }, () => item("reply"));
    const first = sendAll(holding(...items), 0);
    expect(first.sent).toHaveLength(MODEL.burst - RULES.reply.tokens + 1);
    expect(decide(first.state, 0)).toEqual({ kind: "wait", untilMs: 2000 });
    expect(sendAll(first.state, 2000).sent).toHaveLength(1);
  });

  test("a limit that was passed without a 429 is lifted; a 429 ends that", () => {
    let state = emptyOutbox(0);
    for (let i = 0; i < MODEL.burst + 2; i++) {
      expect(state.lifted).toBe(false);
      const one = item("answer");
      state = taken(started(enqueue(state, one).state, one, 0), one.id, 0, 0);
    }
    expect(state.lifted).toBe(true);
    const replies = Array.from({ length: 50 }, () => item("reply"));
    const full = replies.reduce((before, one) => enqueue(before, one).state, state);
    expect(sendAll(full, 0).sent).toHaveLength(50);
    expect(refused(full, 0, 1000).lifted).toBe(false);
  });

  test("events that are on their way are no sign of a lifted limit", () => {
    let state = emptyOutbox(0);
    const items = Array.from({ length: 14 }, (_, i) => item("answer", { roomId: `!${i}` }));
    for (const one of items) state = started(enqueue(state, one).state, one, 0);
    for (const one of items.slice(0, MODEL.burst)) {
      state = taken(state, one.id, 0, 0);
      expect(state.lifted).toBe(false);
    }
  });

  test("a 429 stops everything until its time, and then there is one token", () => {
    const first = item("answer");
    let state = started(holding(first, item("leave"), item("answer")), first, 0);
    state = returned(refused(state, 0, 4000), first.id).state;
    expect(decide(state, 3999)).toEqual({ kind: "wait", untilMs: 4000 });
    expect(tokensAt(state, 4000)).toBeCloseTo(1 - 4 * MODEL.perSecond + 4 * MODEL.perSecond);
    expect(decide(state, 4000)).toMatchObject({ kind: "send", item: { priority: "leave" } });
  });

  test("limited, tokens are kept for what comes first", () => {
    const state = refused(emptyOutbox(0), 0, 0);
    // One token is there: enough for an answer or a refresh, not for the others.
    for (const priority of PRIORITIES) {
      const { state: waiting } = enqueue(state, item(priority));
      expect([priority, decide(waiting, 0).kind]).toEqual([
        priority,
        RULES[priority].tokens <= 1 ? "send" : "wait",
      ]);
    }
  });

  test("limited, a reply waits for its tokens and no longer", () => {
    const { state } = enqueue(refused(emptyOutbox(0), 0, 0), item("reply"));
    const decision = decide(state, 0);
    const neededMs = ((RULES.reply.tokens - 1) / MODEL.perSecond) * 1000;
    expect(decision).toEqual({ kind: "wait", untilMs: neededMs });
    expect(decide(state, neededMs).kind).toBe("send");
  });

  test("after ten minutes without a 429 the limit is tried again", () => {
    const state = refused(emptyOutbox(0), 0, 1000);
    expect(isLimited(state, FORGET_LIMIT_MS - 1)).toBe(true);
    expect(isLimited(state, FORGET_LIMIT_MS)).toBe(false);
  });
});

describe("bounds", () => {
  test("of too many of a priority the oldest goes", () => {
    const items = Array.from({ length: RULES.card.limit }, () => item("card"));
    const { state, overflow } = enqueue(holding(...items), item("card"));
    expect(overflow).toBe(items[0]);
    expect(state.waiting).toHaveLength(RULES.card.limit);
  });

  test("what waited too long is of no use", () => {
    const [answer, refresh] = [item("answer"), item("refresh")];
    const { state, expired } = expire(holding(answer, refresh), RULES.refresh.lifeMs);
    expect(expired).toEqual([refresh]);
    expect(state.waiting).toEqual([answer]);
  });
});

test("against a limited homeserver: every leave and answer goes out, in bounded time, with few refusals", () => {
  const script = fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 60_000 }),
      priority: fc.constantFrom(...PRIORITIES),
      room: fc.constantFrom("!a", "!b"),
      key: fc.option(fc.constantFrom("k1", "k2")),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(script, (events) => {
      const arrivals = events.toSorted((a, b) => a.atMs - b.atMs);
      const limiter = new SynapseLimiter();
      let state = emptyOutbox(0);
      let refusals = 0;
      const outcome = new Map<number, "sent" | "replaced" | "expired" | "overflow">();
      const all: Item[] = [];
      const settle = (one: Item | null, how: "sent" | "replaced" | "expired" | "overflow"): void => {
        if (one === null) return;
        // Each event ends exactly once.
        expect(outcome.has(one.id)).toBe(false);
        outcome.set(one.id, how);
      };
      let nowMs = 0;
      for (let steps = 0; steps < 5000; steps++) {
        while (arrivals[0] !== undefined && arrivals[0].atMs <= nowMs) {
          const { atMs, priority, room, key } = arrivals.shift() ?? arrivals[0];
          const one = item(priority, {
            roomId: room,
            coalesceKey: key === null ? null : room + key,
            enqueuedMs: atMs,
          });
          all.push(one);
          const added = enqueue(state, one);
          state = added.state;
          settle(added.replaced, "replaced");
          settle(added.overflow, "overflow");
        }
        const dead = expire(state, nowMs);
        state = dead.state;
        for (const one of dead.expired) settle(one, "expired");
        const decision = decide(state, nowMs);
        if (decision.kind === "send") {
          state = started(state, decision.item, nowMs);
          const answer = limiter.take(nowMs);
          if (answer.taken) {
            state = taken(state, decision.item.id, nowMs, nowMs);
            settle(decision.item, "sent");
          } else {
            refusals++;
            // Synapse rounds down; the answer is told later than that.
            const back = returned(refused(state, nowMs, answer.retryAfterMs + 1), decision.item.id);
            state = back.state;
            if (back.replacedBy !== null) settle(decision.item, "replaced");
          }
          continue;
        }
        const next = [arrivals[0]?.atMs ?? Infinity, decision.kind === "wait" ? decision.untilMs : Infinity];
        const untilMs = Math.min(...next);
        if (untilMs === Infinity) break;
        // Time must move on, or the outbox would spin.
        expect(untilMs).toBeGreaterThan(nowMs);
        nowMs = untilMs;
      }
      expect(state.waiting).toEqual([]);
      expect(state.inFlight).toEqual([]);
      expect(all.every((one) => outcome.has(one.id))).toBe(true);
      const leaves = all.filter((one) => one.priority === "leave");
      // Twelve leaves a minute is what the refill has; the burst may be gone before.
      if (leaves.length <= 10) {
        expect(leaves.every((one) => outcome.get(one.id) !== "expired")).toBe(true);
      }
      // A 429 teaches: few follow, because the model is then obeyed (a LEFT may still try).
      expect(refusals).toBeLessThanOrEqual(2 + leaves.length);
    }),
    { numRuns: 300 },
  );
});

/** Memberships of so many rooms were written at 0, and then came a 429. */
function limitedIn(rooms: number): OutboxState {
  let state = emptyOutbox(0);
  for (let room = 0; room < rooms; room++) state = write(state, `!${room}`, 0);
  return refused(state, 0, 5000);
}

function write(state: OutboxState, roomId: string, nowMs: number): OutboxState {
  const refresh = item("refresh", { enqueuedMs: nowMs, roomId, coalesceKey: `key ${roomId}` });
  return taken(started(enqueue(state, refresh).state, refresh, nowMs), refresh.id, nowMs, nowMs);
}

test("something is over where the limit is lifted, or when the model has more than is kept back", () => {
  expect(hasSpare(emptyOutbox(0), 0)).toBe(true);
  expect(hasSpare({ ...limitedIn(2), limitedAtMs: null, blockedUntilMs: 0 }, 5000)).toBe(false);
  expect(hasSpare({ ...limitedIn(2), lifted: true, blockedUntilMs: 0 }, 5000)).toBe(true);
  const limited = limitedIn(2);
  expect(hasSpare(limited, 5000)).toBe(false);
  expect(hasSpare(limited, 24_000)).toBe(false);
  expect(hasSpare(limited, 26_000)).toBe(true);
  const busy = enqueue(limited, item("offer", { enqueuedMs: 26_000 })).state;
  expect(hasSpare(busy, 26_000)).toBe(false);
  expect(hasSpare(busy, 31_000)).toBe(true);
  const one = limitedIn(1);
  expect(hasSpare(one, 4000)).toBe(false);
  expect(hasSpare(one, 11_000)).toBe(true);
});

test("at the default limit one room may hurry all the time, and three rooms fall back to the slow refresh", () => {
  const hurried = (rooms: number): number => {
    let state = limitedIn(rooms);
    const lastMs = Array.from({ length: rooms }, () => 0);
    let count = 0;
    for (let nowMs = 0; nowMs < 590_000; nowMs += 500) {
      lastMs.forEach((writtenMs, room) => {
        const soon = nowMs - writtenMs < 14_000;
        if (nowMs - writtenMs < 7000 || (soon && !hasSpare(state, nowMs))) return;
        if (soon && nowMs > 60_000) count++;
        lastMs[room] = nowMs;
        state = write(state, `!${room}`, nowMs);
      });
    }
    return count / rooms;
  };
  expect(hurried(1)).toBeGreaterThan(70);
  expect(hurried(3)).toBeLessThan(15);
});
