import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { Outbox, type Outgoing } from "../../../src/matrix/outbox.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { rejection } from "../../support/rejection.ts";
import { FakeHomeserver, Gate, limitExceeded } from "../../fakes/homeserver.ts";

const room = "!r:voice.test";

function set(): {
  clock: FakeClock;
  homeserver: FakeHomeserver;
  outbox: Outbox;
  encrypted: Set<string>;
  bodies: () => unknown[];
} {
  const clock = new FakeClock();
  const homeserver = new FakeHomeserver().on("PUT", /./, () => ({ event_id: "$done" }));
  const encrypted = new Set<string>();
  const outbox = new Outbox({
    homeserver,
    clock,
    log: silentLog,
    isEncrypted: (roomId) => encrypted.has(roomId),
    random: () => 0.5,
  });
  return { clock, homeserver, outbox, encrypted, bodies: () => homeserver.requests.map(({ body }) => body) };
}

function text(body: string): Outgoing {
  return { kind: "message", type: "m.room.message", content: { body } };
}

function membership(join_state: string): Outgoing {
  return { kind: "state", type: "callstate", stateKey: "d@u", content: { join_state } };
}

test("messages, state and redactions go where the specification has them", async () => {
  const { homeserver, outbox } = set();
  await expect(outbox.send(room, text("a"), { priority: "reply" })).resolves.toBe("$done");
  await outbox.send(room, membership("JOINED"), { priority: "refresh" });
  await outbox.send(room, { kind: "redact", eventId: "$x", reason: "gone" }, { priority: "reply" });
  expect(homeserver.requests.map(({ path }) => path.replace(/[^/]{40}$/, "TXN"))).toEqual([
    `/_matrix/client/v3/rooms/${room}/send/m.room.message/TXN`,
    `/_matrix/client/v3/rooms/${room}/state/callstate/d@u`,
    `/_matrix/client/v3/rooms/${room}/redact/$x/TXN`,
  ]);
});

test("the transaction id depends on what is answered, and on nothing else", async () => {
  const { homeserver, outbox } = set();
  for (const txnId of ["reply $1", "reply $1", "reply $2"]) {
    await outbox.send(room, text(txnId), { priority: "reply", txnId });
  }
  await outbox.send(room, text("x"), { priority: "reply" });
  const [one, again, two, random] = homeserver.requests.map(({ path }) => path.split("/").at(-1));
  expect(one).toBe(again);
  expect(new Set([one, two, random]).size).toBe(3);
});

test("a 429 is waited for, and the same transaction is sent again", async () => {
  const { clock, homeserver, outbox } = set();
  let refusals = 1;
  homeserver.on("PUT", /./, () => {
    if (refusals-- > 0) throw limitExceeded(3000);
    return { event_id: "$late" };
  });
  const sent = outbox.send(room, text("a"), { priority: "answer" });
  await clock.advance(2999);
  expect(homeserver.requests).toHaveLength(1);
  expect(outbox.limited).toBe(true);
  await clock.advance(1);
  await expect(sent).resolves.toBe("$late");
  expect(homeserver.requests[0]?.path).toBe(homeserver.requests[1]?.path);
});

test.each([
  ["a server error", new HomeserverError(502, "", "bad gateway", null)],
  ["no connection", new BotError("homeserver", "not reachable", { retryable: true })],
])("%s is tried again with a back-off", async (_, error) => {
  const { clock, homeserver, outbox } = set();
  homeserver.on("PUT", /./, () => {
    if (homeserver.requests.length < 3) throw error;
    return { event_id: "$third" };
  });
  const sent = outbox.send(room, text("a"), { priority: "reply" });
  await clock.advance(499);
  expect(homeserver.requests).toHaveLength(1);
  await clock.advance(1);
  expect(homeserver.requests).toHaveLength(2);
  await clock.advance(1000);
  await expect(sent).resolves.toBe("$third");
});

test("a refusal is final, and the next event goes on", async () => {
  const { homeserver, outbox } = set();
  homeserver.on("PUT", /state/, () => {
    throw new HomeserverError(403, "M_FORBIDDEN", "no power", null);
  });
  const refused = outbox.send(room, membership("JOINED"), { priority: "refresh" });
  const sent = outbox.send(room, text("a"), { priority: "reply" });
  await expect(refused).rejects.toMatchObject({ code: "forbidden", errcode: "M_FORBIDDEN" });
  await expect(sent).resolves.toBe("$done");
});

test("an event that always fails is given up, and holds nothing up for ever", async () => {
  const { clock, homeserver, outbox } = set();
  homeserver.on("PUT", /poison/, () => {
    throw new HomeserverError(500, "M_UNKNOWN", "bug", null);
  });
  const poison = outbox.send("!poison", text("a"), { priority: "reply" });
  const outcome = rejection(poison);
  const sent = outbox.send(room, text("a"), { priority: "card" });
  await clock.advance(120_000);
  expect(await outcome).toMatchObject({ status: 500 });
  await expect(sent).resolves.toBe("$done");
});

test("a waiting refresh is replaced by a newer one, and is as good as sent with it", async () => {
  const { homeserver, outbox, bodies } = set();
  const gate = new Gate();
  homeserver.on("PUT", /send/, () => gate.promise);
  const slow = outbox.send(room, text("slow"), { priority: "answer" });
  const first = outbox.send(room, membership("JOINED"), { priority: "refresh" });
  const second = outbox.send(room, membership("JOINED"), { priority: "refresh" });
  gate.open({ event_id: "$slow" });
  await expect(Promise.all([slow, first, second])).resolves.toEqual(["$slow", "$done", "$done"]);
  expect(bodies()).toHaveLength(2);
});

test("a waiting refresh is cancelled by a LEFT, which does not wait for a slow request", async () => {
  const { homeserver, outbox, bodies } = set();
  homeserver.on("PUT", /send/, () => new Gate().promise);
  const slow = outbox.send(room, text("slow"), { priority: "answer" });
  const refresh = outbox.send(room, membership("JOINED"), { priority: "refresh" });
  const left = outbox.send(room, membership("LEFT"), { priority: "leave" });
  await expect(refresh).rejects.toMatchObject({ code: "cancelled" });
  await expect(left).resolves.toBe("$done");
  expect(bodies()).toEqual([{ body: "slow" }, { join_state: "LEFT" }]);
  outbox.close();
  await expect(slow).rejects.toMatchObject({ code: "cancelled" });
});

test("a sender may take back what waits, not what is on its way", async () => {
  const { homeserver, outbox, bodies } = set();
  const gate = new Gate();
  homeserver.on("PUT", /./, () => gate.promise);
  const [a, b] = [new AbortController(), new AbortController()];
  const sent = outbox.send(room, text("a"), { priority: "offer", signal: a.signal });
  const waiting = outbox.send(room, text("b"), { priority: "offer", signal: b.signal });
  a.abort();
  b.abort();
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  gate.open({ event_id: "$a" });
  await expect(sent).resolves.toBe("$a");
  expect(bodies()).toHaveLength(1);
  const late = outbox.send(room, text("c"), { priority: "offer", signal: a.signal });
  await expect(late).rejects.toMatchObject({ code: "cancelled" });
});

describe("an encrypted room", () => {
  test("gets nothing but the one clear notice", async () => {
    const { homeserver, outbox, encrypted, bodies } = set();
    encrypted.add(room);
    for (const outgoing of [text("a"), membership("LEFT")]) {
      await expect(outbox.send(room, outgoing, { priority: "leave" })).rejects.toMatchObject({
        code: "room_encrypted",
      });
    }
    expect(bodies()).toEqual([]);
    await outbox.sendClearNotice(room, { msgtype: "m.notice", body: "cannot work here" });
    await outbox.sendClearNotice(room, { msgtype: "m.notice", body: "cannot work here" });
    // The homeserver takes a transaction once.
    expect(new Set(homeserver.requests.map(({ path }) => path)).size).toBe(1);
  });

  test("gets nothing either when it was encrypted while the event waited", async () => {
    const { homeserver, outbox, encrypted, bodies } = set();
    const gate = new Gate();
    homeserver.on("PUT", /./, () => gate.promise);
    const first = outbox.send(room, text("a"), { priority: "reply" });
    const second = outbox.send(room, text("b"), { priority: "reply" });
    const outcome = rejection(second);
    encrypted.add(room);
    gate.open({ event_id: "$a" });
    await first;
    expect(await outcome).toMatchObject({ code: "room_encrypted" });
    expect(bodies()).toEqual([{ body: "a" }]);
  });
});

describe("shutting down", () => {
  test("LEFT and replies are still sent, cards are not, and nothing new is taken", async () => {
    const { homeserver, outbox, bodies } = set();
    const gate = new Gate();
    homeserver.on("PUT", /send/, () => gate.promise);
    const slow = outbox.send(room, text("slow"), { priority: "offer" });
    const card = outbox.send(room, text("card"), { priority: "card" });
    const reply = outbox.send(room, text("reply"), { priority: "reply" });
    const left = outbox.send(room, membership("LEFT"), { priority: "leave" });
    const cardOutcome = rejection(card);
    const drained = outbox.drain(5000);
    await expect(outbox.send(room, text("new"), { priority: "leave" })).rejects.toMatchObject({
      code: "cancelled",
    });
    gate.open({ event_id: "$a" });
    await Promise.all([slow, reply, left, drained]);
    expect(await cardOutcome).toMatchObject({ code: "cancelled" });
    expect(bodies()).toEqual([{ body: "slow" }, { join_state: "LEFT" }, { body: "reply" }]);
  });

  test("ends at its time although the homeserver says nothing", async () => {
    const { clock, homeserver, outbox } = set();
    homeserver.on("PUT", /./, () => new Gate().promise);
    const left = outbox.send(room, membership("LEFT"), { priority: "leave" });
    const outcome = rejection(left);
    let ended = false;
    const drained = outbox.drain(5000).then(() => (ended = true));
    await clock.advance(4999);
    expect(ended).toBe(false);
    await clock.advance(1);
    await drained;
    expect(await outcome).toMatchObject({ code: "cancelled" });
    expect(clock.pending).toBe(0);
  });

  test("does not wait for a limit that ends after its time", async () => {
    const { homeserver, outbox } = set();
    homeserver.on("PUT", /./, () => {
      throw limitExceeded(60_000);
    });
    const reply = outbox.send(room, text("a"), { priority: "reply" });
    const outcome = rejection(reply);
    await settle();
    await outbox.drain(5000);
    expect(await outcome).toMatchObject({ code: "cancelled" });
  });
});

test("what waited too long fails, and its timer is the only one", async () => {
  const { clock, homeserver, outbox } = set();
  homeserver.on("PUT", /./, () => new Gate().promise);
  const stuck = outbox.send(room, text("stuck"), { priority: "offer" });
  const refresh = outbox.send(room, membership("JOINED"), { priority: "refresh" });
  const outcome = rejection(refresh);
  await clock.advance(55_000);
  expect(await outcome).toMatchObject({ code: "timeout" });
  expect(outbox.size).toBe(1);
  outbox.close();
  await expect(stuck).rejects.toMatchObject({ code: "cancelled" });
  expect(clock.pending).toBe(0);
});
