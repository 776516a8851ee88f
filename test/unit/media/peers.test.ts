import { Peers } from "../../../src/media/peers.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeEngine } from "../../fakes/engine.ts";

function peersOf(engine: FakeEngine): Peers {
  return new Peers({
    ...{ engine, clock: new FakeClock(), output: engine.createOutput() },
    ...{ ice: { servers: [], allowPrivate: "true" }, candidateAllowed: () => true },
    events: { onState() {}, onCandidate() {}, onAudio() {}, onSenderClock() {} },
  });
}

async function offerOf(engine: FakeEngine): Promise<string> {
  const options = { label: "x", output: engine.createOutput(), candidateAllowed: () => true };
  const events = { onState() {}, onCandidate() {}, onAudio() {}, onSenderClock() {} };
  const connection = engine.createConnection(
    { ...options, ice: { servers: [], allowPrivate: "true" } },
    events,
  );
  return connection.createOffer();
}

test("an offer that restarts ICE is answered by the connection that there is; any other by a new one", async () => {
  const [engine, others] = [new FakeEngine(), new FakeEngine()];
  const peers = peersOf(engine);
  await peers.answer("a", await offerOf(others));
  const [first] = engine.connections;
  first!.restarts = "v=0 over new ways";
  expect(await peers.answer("a", "v=0 restart")).toBe("v=0 over new ways");
  expect([...engine.connections]).toEqual([first]);
  first!.restarts = null;
  expect(await peers.answer("a", await offerOf(others))).toMatch(/^v=0\r\n/);
  const [second] = engine.connections;
  expect(engine.connections.size).toBe(1);
  expect(second).not.toBe(first);
});

test("a restart that a close overtakes is answered by nobody", async () => {
  const [engine, others] = [new FakeEngine(), new FakeEngine()];
  const peers = peersOf(engine);
  await peers.answer("a", await offerOf(others));
  [...engine.connections][0]!.restarts = "v=0 over new ways";
  const answering = peers.answer("a", "v=0 restart");
  peers.close("a");
  await expect(answering).rejects.toMatchObject({ code: "cancelled" });
});

test("the round trip is that of the connection, while there is one", async () => {
  const [here, there] = [new FakeEngine(), new FakeEngine()];
  const [a, b] = [peersOf(here), peersOf(there)];
  const offer = await a.offer("b");
  expect([...a.roundTrips()]).toEqual([]);
  await a.accept("b", await b.answer("a", offer));
  [...here.connections][0]!.impair({ delayMs: 30 });
  [...there.connections][0]!.impair({ delayMs: 12 });
  await settle();
  expect([...a.roundTrips()]).toEqual([["b", 42]]);
  [...here.connections][0]!.simulate("disconnected");
  expect([...a.roundTrips()]).toEqual([]);
  a.closeAll();
  b.closeAll();
});
