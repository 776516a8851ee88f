import { LinkTimes } from "../../../src/channel/links.ts";
import { memory } from "../../../src/channel/peers.ts";
import { initialState, type ChannelState, type PeerPhase } from "../../../src/channel/state.ts";
import type { ChannelMember } from "../../../src/channel/visible.ts";

const KEY = "Chrome";
const member = (connected: boolean, sinceMs = 1000): ChannelMember => ({
  ...{ key: KEY, userId: "@ann:test", connected, sinceMs },
});
function withPeer(phase: PeerPhase, more: object = {}): ChannelState {
  const state = initialState("bot@bot:test", "@bot:test", true);
  state.peers.set(KEY, { ...memory(KEY), ...phase, ...more });
  return state;
}
const connected: PeerPhase = {
  ...{ phase: "connected", connection: 1, remoteId: "x", sinceMs: 0, shakyUntilMs: null },
};

test.each<[string, PeerPhase]>([
  ["expected", { phase: "waiting", untilMs: 0 }],
  ["offering", { phase: "due", restore: false }],
  ["offering", { phase: "sending", connection: 1, form: "web", untilMs: 0, theirs: null }],
  ["offered", { phase: "offered", connection: 1, form: "web", untilMs: 0 }],
  ["answering", { phase: "answering", connection: 1, form: "web", remoteId: "x" }],
  ["answering", { phase: "connecting", connection: 1, remoteId: "x", answerSent: false, untilMs: 0 }],
  ["connecting", { phase: "connecting", connection: 1, remoteId: "x", answerSent: true, untilMs: 0 }],
  ["connected", connected],
  ["interrupted", { ...connected, shakyUntilMs: 9000 }],
  ["given_up", { phase: "dormant", notBeforeMs: 0, endedMs: null }],
])("%s: %j", (expected, phase) => {
  const [link] = new LinkTimes().links(withPeer(phase), [member(phase.phase === "connected")], 1000);
  expect(link).toMatchObject({ key: KEY, phase: expected, described: false });
});

test("since when it is connected, and since when not, over all attempts in between", () => {
  const times = new LinkTimes();
  const state = withPeer(
    { phase: "dormant", notBeforeMs: 0, endedMs: null },
    { spoken: "web", failures: 2, attempts: 3 },
  );
  times.update([member(false)], 1000);
  times.update([member(false)], 4000);
  const [link] = times.links(state, [member(false)], 2500);
  // We came at 2500: before that there could be no connection.
  expect(link).toMatchObject({ sinceMs: 2500, failures: 2, offersUnanswered: 3, described: true });
  times.update([member(true)], 6000);
  times.update([member(true)], 9000);
  expect(times.links(withPeer(connected), [member(true)], 2500)[0]).toMatchObject({ sinceMs: 6000 });
  times.update([member(false)], 11_000);
  expect(times.links(state, [member(false)], 2500)[0]).toMatchObject({ sinceMs: 11_000 });
  // Gone and back: another visit.
  times.update([], 12_000);
  times.update([member(false, 13_000)], 13_000);
  expect(times.links(state, [member(false, 13_000)], 2500)[0]).toMatchObject({ sinceMs: 13_000 });
});

test("while we are out everybody is apart, and nothing is expected of them", () => {
  const state = initialState("bot@bot:test", "@bot:test", true);
  const [link] = new LinkTimes().links(state, [member(false)], null);
  expect(link).toMatchObject({ phase: "apart", memberSinceMs: 1000 });
});
