// State that Synapse posts for a bot that fell silent (MSC4140). The bot has no limits, because the tests ask in its name what is scheduled.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { DelayedEvents } from "../../src/matrix/delayed-events.ts";
import { openHomeserver } from "../../src/matrix/sdk-client.ts";
import { MatrixSession } from "../../src/matrix/session.ts";
import { matrixRequest } from "../support/matrix-http.ts";
import { callStateType, Person } from "../support/people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

/** Short, so that the test is: three restarts within it. */
const DELAY_MS = 1500;
const JOINED = { join_state: "JOINED", timestamp: 1 };

let synapse: Synapse;
let ada: Person;
let user: SynapseUser;
let roomId: string;
let key: string;
let dir: string;
let session: MatrixSession;
const running: DelayedEvents[] = [];

beforeAll(async () => {
  synapse = await startSynapse({ config: { max_event_delay_duration: "1h" } });
  ada = await Person.start(await synapse.createUser("ada", { exempt: true }));
  user = await synapse.createUser("bot", { exempt: true });
  key = `BOT${user.userId}`;
  dir = await mkdtemp(join(tmpdir(), "voicebot-delayed-"));
  const joined = Promise.withResolvers<void>();
  session = new MatrixSession({
    homeserver: await openHomeserver(user.baseUrl, user.accessToken),
    accessToken: user.accessToken,
    ...{ dataDir: dir, invitesAllow: null, keptStateTypes: [], clock: systemClock, log: silentLog },
    handlers: {
      onRoomJoined: () => joined.resolve(),
      onRoomLeft: () => {},
      onRoomEvent: () => {},
    },
    onFatal: () => {},
  });
  await session.start();
  roomId = await ada.createVoiceRoom({ invite: [user.userId] });
  await joined.promise;
}, 60_000);

afterAll(async () => {
  await Promise.all(running.map((delayed) => delayed.close()));
  await session?.stop();
  await ada?.stop();
  await synapse?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A run of the bot. Its `close` is its death: what it has not released stays with the homeserver. */
async function run(): Promise<DelayedEvents> {
  const homeserver = await openHomeserver(user.baseUrl, user.accessToken);
  const delayed = new DelayedEvents({
    ...{ homeserver, outbox: session.outbox, delayMs: DELAY_MS, clock: systemClock, log: silentLog },
  });
  running.push(delayed);
  await delayed.start();
  return delayed;
}

const state = (): { roomId: string; type: string; stateKey: string; content: { join_state: string } } => ({
  ...{ roomId, type: callStateType, stateKey: key },
  content: { join_state: "LEFT" },
});

async function put(content: object): Promise<void> {
  await matrixRequest(
    user,
    "PUT",
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/${callStateType}/${encodeURIComponent(key)}`,
    content,
  );
}

async function scheduled(): Promise<string[]> {
  const path = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
  const answer = (await matrixRequest(user, "GET", path)) as { delayed_events: { delay_id: string }[] };
  return answer.delayed_events.map(({ delay_id: id }) => id);
}

async function untilScheduled(): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const [id] = await scheduled();
    if (id !== undefined) return id;
    await sleep(100);
  }
  throw new Error("nothing was scheduled");
}

const joinState = async (): Promise<unknown> =>
  (await ada.readState(roomId, callStateType, key))?.["join_state"];

test("our own refresh neither cancels nor posts it, it is not posted while we live, and it is when we do not", async () => {
  await put(JOINED);
  const first = await run();
  first.hold(state());
  const id = await untilScheduled();
  await put({ ...JOINED, timestamp: 2 });
  await sleep(DELAY_MS + 300);
  expect(await scheduled()).toEqual([id]);
  expect(await joinState()).toBe("JOINED");
  const { position } = ada;
  await first.close();
  const left = await ada.waitForEvent(
    ({ stateKey, content }) => stateKey === key && content["join_state"] === "LEFT",
    DELAY_MS + 3000,
    position,
  );
  expect(left.sender).toBe(user.userId);
  expect(await scheduled()).toEqual([]);
});

test("the next run takes over what the one before has left, and takes it back when it leaves", async () => {
  await put(JOINED);
  const killed = await run();
  killed.hold(state());
  const id = await untilScheduled();
  await killed.close();
  const next = await run();
  next.hold(state());
  await sleep(DELAY_MS + 300);
  expect(await scheduled()).toEqual([id]);
  expect(await joinState()).toBe("JOINED");
  next.release(state(), Promise.resolve());
  await next.close();
  expect(await scheduled()).toEqual([]);
});

test("Synapse cancels it when somebody else writes that state; it is scheduled again", async () => {
  await put(JOINED);
  const delayed = await run();
  delayed.hold(state());
  const id = await untilScheduled();
  // Not her key by our rules, but the homeserver does not know them.
  await ada.sendState(roomId, callStateType, key, JOINED);
  await sleep(1100);
  const again = await untilScheduled();
  expect(again).not.toBe(id);
  delayed.release(state(), Promise.resolve());
});
