import type { Sentence } from "../../../src/base/messages/catalogue.ts";
import { MovingAgent, type MovingAgentDeps } from "../../../src/bot/moving-agent.ts";
import { runningStatus } from "../../fakes/running-recording.ts";

/** What it did, in order; `said …` with the key of the sentence. */
function bench(
  is: {
    encrypted?: boolean;
    mute?: boolean;
    recording?: boolean;
    channel?: "in" | "out";
    used?: boolean;
  } = {},
): { agent: MovingAgent; did: string[] } {
  const did: string[] = [];
  const note = (what: string) => async (): Promise<void> => void did.push(what);
  const deps: MovingAgentDeps = {
    room: { id: "!r", ownUserId: "@bot:hs", encrypted: is.encrypted ?? false, can: () => is.mute !== true },
    talk: {
      tellOnce: async ({ key }: Sentence) => {
        did.push(`said ${key}`);
        return true;
      },
    },
    channel: { state: is.channel ?? "in" },
    player: { nowPlaying: () => null, queue: () => (is.used === true ? [null as never] : []) },
    recorder: {
      status: () => (is.recording === true ? runningStatus : { phase: "idle" }),
      stop: note("recording stopped"),
    },
    settings: { reload: () => void did.push("settings") },
    consent: { reload: () => void did.push("consent") },
    clearLeftBehind: note("LEFT of the last run"),
    close: note("closed"),
    resume: note("resumed"),
  };
  return { agent: new MovingAgent(deps), did };
}

test("out: says so, ends the recording for it to be delivered, and closes", async () => {
  const { agent, did } = bench({ recording: true });
  await agent.out();
  expect(did).toEqual(["said room.moved", "recording stopped", "closed"]);
});

test("out after a kill in the middle: takes back what the last run left in the channel", async () => {
  const { agent, did } = bench({ channel: "out" });
  await agent.out();
  expect(did).toEqual(["said room.moved", "LEFT of the last run", "closed"]);
});

test("a room that lets nobody speak, or is encrypted, is told nothing", async () => {
  for (const is of [{ mute: true }, { encrypted: true }]) {
    const { agent, did } = bench(is);
    agent.refused();
    await agent.out();
    expect(did).toEqual(["closed"]);
  }
});

test("in: goes on, unless something went on there already", async () => {
  const fresh = bench({ channel: "out" });
  await fresh.agent.in();
  expect(fresh.did).toEqual(["settings", "consent", "said room.moved_here", "resumed"]);
  for (const is of [{ channel: "in" } as const, { channel: "out", used: true } as const]) {
    const used = bench(is);
    await used.agent.in();
    expect(used.did).toEqual(["settings", "consent", "said room.moved_here"]);
  }
});

test("an encrypted new room is told that the bot cannot work there", async () => {
  const { agent, did } = bench({ encrypted: true, channel: "out" });
  await agent.in();
  expect(did[2]).toBe("said room.encrypted");
});
