// Homeservers that limit, break, dawdle and hang, and gateways that answer for them: the bot stays in its channel, plays on,
// answers what it was asked, and asks seldom.
import { Bot } from "../support/bot.ts";
import { LIMITED, PAGE, type GatewayRequest, type Outcome } from "../support/gateway.ts";
import { FaultScene, missedWhile, sleep } from "../support/fault-scene.ts";
import type { Member } from "../support/member.ts";

let scene: FaultScene;
let ear: Member;

beforeAll(async () => {
  scene = await FaultScene.start();
  // The limit is what the gateway says, and no other.
  await scene.synapse.exemptFromLimits(scene.botUser.userId);
  ear = await scene.member("ear");
  await ear.join();
  await scene.command("!play tone440", /Now playing/);
  await ear.firstAudio(scene.botKey, 0, 30_000);
  await ear.connected(scene.botKey);
}, 120_000);
afterAll(async () => scene?.close(), 60_000);

interface Trial {
  outcome: (request: GatewayRequest) => Outcome;
  forMs: number;
  /** After the end of it. */
  answerWithinMs: number;
  perMinute: number;
}

/** Asks the bot something in the middle of it, and says what came of everything. */
async function survive({ outcome, forMs, answerWithinMs, perMinute }: Trial): Promise<void> {
  const { gateway, host, bot, botKey, room } = scene;
  const { position } = host;
  const rssMb = Bot.rssMb(bot.proc.pid);
  const startedMs = Date.now();
  const lines = bot.proc.position;
  const missed = await missedWhile(ear, botKey, async () => {
    gateway.trouble = outcome;
    await sleep(2000);
    await host.sendText(room, "!np");
    await sleep(forMs - 2000);
    const requests = gateway.count(startedMs);
    gateway.trouble = () => "pass";
    expect(requests / (forMs / 60_000)).toBeLessThan(perMinute);
    await scene.botSays(/tone440/, answerWithinMs, position);
  });
  expect(missed).toBeLessThan(0.01);
  await host.waitForEvent(({ stateKey }) => stateKey === botKey, 20_000, host.position);
  expect(scene.memberships(position).filter((state) => state !== "JOINED")).toEqual([]);
  // Once.
  const answers = host.events
    .slice(position)
    .filter(
      ({ sender, type, roomId }) =>
        sender === scene.botUser.userId && type === "m.room.message" && roomId === room,
    );
  expect(answers).toHaveLength(1);
  // What an operator reads of it, at most: that it fails, what was given up, that it is over.
  const read = bot.proc.jsonLines().slice(-2000);
  const warnings = bot.proc.lines.filter(
    ({ number, text }) => number >= lines && /"level":"(warn|error)"/.test(text),
  );
  expect({ warnings: warnings.map(({ text }) => text).slice(5), read: read.length > 0 }).toEqual({
    warnings: [],
    read: true,
  });
  expect(Bot.rssMb(bot.proc.pid)).toBeLessThan(rssMb + 40);
}

/** Limited lately, the outbox keeps a reserve from replies: they take the time of four of Synapse's events and the refreshes between. */
const SOON_MS = 60_000;
const isWrite = ({ method }: GatewayRequest): boolean => method === "PUT";

test.each<[string, Outcome, number]>([
  ["without a time", LIMITED(), SOON_MS],
  ["with 0 ms", LIMITED(0), SOON_MS],
  ["with less than nothing", LIMITED(-5000), SOON_MS],
  ["with words for a time", LIMITED("soon"), SOON_MS],
  ["with a thousand years", LIMITED(3e13), 60_000 + SOON_MS],
  ["with Retry-After alone", { status: 429, headers: { "retry-after": "3" }, body: "" }, SOON_MS],
  [
    "with a date as Retry-After",
    {
      status: 429,
      headers: { "retry-after": new Date(Date.now() + 86_400_000).toUTCString() },
      body: "slow down",
    },
    60_000 + SOON_MS,
  ],
])(
  "429 on every write, %s",
  async (_, outcome, answerWithinMs) => {
    const limited = (request: GatewayRequest): Outcome => (isWrite(request) ? outcome : "pass");
    await survive({ outcome: limited, forMs: 15_000, answerWithinMs, perMinute: 100 });
  },
  300_000,
);

test.each<[string, Outcome]>([
  ["429", LIMITED(0)],
  ["500 of the homeserver", { status: 500, body: '{"errcode":"M_UNKNOWN","error":"Internal server error"}' }],
  ["502 and a page", PAGE(502)],
  ["504 and a page", PAGE(504)],
  ["403 and a page", PAGE(403)],
  ["404 and a page", PAGE(404)],
  ["200 and a page", PAGE(200)],
  ["a redirection", { status: 302, headers: { location: "http://127.0.0.1:9/" }, body: "" }],
  ["half an answer", "truncate"],
])(
  "on everything %s",
  async (_, outcome) => {
    await survive({ outcome: () => outcome, forMs: 20_000, answerWithinMs: SOON_MS, perMinute: 100 });
  },
  300_000,
);

test("every answer takes half a minute", async () => {
  await survive({
    ...{ outcome: () => ({ delayMs: 30_000 }), forMs: 120_000, answerWithinMs: 60_000, perMinute: 60 },
  });
}, 600_000);

test("every connection hangs", async () => {
  await survive({ outcome: () => "hang", forMs: 75_000, answerWithinMs: 60_000, perMinute: 60 });
}, 600_000);
