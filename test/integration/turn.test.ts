// Relays: a real coturn, with credentials of a real Synapse or made here, the engine, and a browser that has nothing else.
import { silentLog } from "../../src/base/log.ts";
import type { LogFields } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { IceServers } from "../../src/bot/ice-servers.ts";
import type { IceConfig } from "../../src/bot/ice-servers.ts";
import { openHomeserver } from "../../src/matrix/sdk-client.ts";
import type { Engine } from "../../src/media/engine/engine.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { Party, pause, until, withoutCandidates } from "../contract/engine-behaviour.ts";
import { startCoturn, type Coturn } from "../support/coturn.ts";
import { PagePeers } from "../support/page-peer.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";
import { LEFT_HZ, playTone, RIGHT_HZ } from "../support/tone.ts";

/** As short as the renewal allows. */
const LIFE_S = 7;

let coturn: Coturn;
let synapse: Synapse;
let engine: Engine;
const opened: IceServers[] = [];
const warnings: [string, LogFields | undefined][] = [];

beforeAll(async () => {
  coturn = await startCoturn();
  synapse = await startSynapse({
    rateLimits: "off",
    config: {
      turn_uris: [coturn.uri],
      turn_shared_secret: coturn.secret,
      turn_user_lifetime: `${LIFE_S}s`,
    },
  });
  const warn = (event: string, fields?: LogFields): void => void warnings.push([event, fields]);
  engine = createEngine({ clock: systemClock, log: { ...silentLog, warn } });
});

afterAll(async () => {
  for (const ice of opened) ice.close();
  await engine?.close();
  await synapse?.stop();
  await coturn?.stop();
});

async function open(config: Partial<IceConfig>, onRenewed = (): void => {}): Promise<IceServers> {
  const user = await synapse.createUser(`bot${opened.length}`);
  const ice = new IceServers({
    homeserver: await openHomeserver(user.baseUrl, user.accessToken),
    clock: systemClock,
    log: silentLog,
    config: {
      ...{ iceAllowPrivate: "true", iceServers: [], iceTurnSecret: null, icePorts: null },
      ...{ iceAnnounce: [], iceLocalSubnets: [], ...config },
    },
    onRenewed,
  });
  opened.push(ice);
  await ice.start();
  return ice;
}

/** The relayed candidates that an offer with these settings has. */
async function relayed(ice: ReturnType<IceServers["settings"]>): Promise<string[]> {
  const party = new Party(engine, "x", { ice });
  try {
    const { candidates } = withoutCandidates(await party.connection.createOffer());
    return candidates.filter((candidate) => candidate.includes("typ relay"));
  } finally {
    party.connection.close();
  }
}

test("the homeserver's TURN server relays, also when its first credentials have expired", async () => {
  let renewals = 0;
  const ice = await open({}, () => renewals++);
  const first = ice.settings();
  expect(first.servers).toMatchObject([{ uri: coturn.uri }]);
  expect(await relayed(first)).toHaveLength(1);
  const expiresAtMs = Number(first.servers[0]!.username!.split(":")[0]) * 1000;
  while (Date.now() < expiresAtMs + 1500) {
    // There is never a moment without good ones.
    expect(Number(ice.settings().servers[0]!.username!.split(":")[0]) * 1000).toBeGreaterThan(Date.now());
    await pause(100);
  }
  expect(renewals).toBeGreaterThanOrEqual(2);
  expect(warnings).toEqual([]);
  expect(await relayed(first)).toEqual([]);
  // An operator hears of it, once.
  expect(await relayed(first)).toEqual([]);
  expect(warnings).toEqual([["turn_no_relay", { peer: "x", servers: [coturn.uri] }]]);
  expect(await relayed(ice.settings())).toHaveLength(1);
  // coturn writes its log when it comes to it.
  for (let waited = 0; waited < 10_000 && new Set(coturn.allocations()).size < 2; waited += 100)
    await pause(100);
  const users = coturn.allocations();
  expect(users).toContain(first.servers[0]!.username);
  expect(new Set(users).size).toBeGreaterThan(1);
});

test("a TURN server of the configuration relays, with a password or with the secret", async () => {
  const { username, password } = coturn.credentials();
  const withPassword = await open({ iceServers: [{ uri: coturn.uri, username, password }] });
  expect((await relayed(withPassword.settings())).length).toBeGreaterThan(0);
  const withSecret = await open({ iceServers: [{ uri: coturn.uri }], iceTurnSecret: coturn.secret });
  expect((await relayed(withSecret.settings())).length).toBeGreaterThan(0);
  // It writes its log when it has time to.
  const isTold = (): boolean => coturn.allocations().some((user) => user.endsWith(":voicebot"));
  await until(isTold, "the server tells who allocated");
  const wrong = await open({ iceServers: [{ uri: coturn.uri, username, password: "wrong" }] });
  expect(await relayed({ ...wrong.settings(), servers: wrong.settings().servers.slice(0, 1) })).toEqual([]);
});

test("a browser that may only be reached over a relay hears and is heard", async () => {
  const pages = await PagePeers.start();
  try {
    const { username, password } = coturn.credentials();
    const party = new Party(engine, "page", {
      ice: { servers: [{ uri: coturn.uri, username, password }], allowPrivate: "true" },
    });
    const page = await pages.open((candidate, mid) => party.connection.addCandidate(candidate, mid), {
      iceServers: [{ urls: coturn.uri, username, credential: password }],
      iceTransportPolicy: "relay",
    });
    const answer = await party.connection.createAnswer(await page.offer({ stereo: true }));
    await page.accept(answer);
    party.connection.answerSent();
    await until(() => party.connected, "it is connected");
    // The relay's packets may be here before the candidate that tells what they came through.
    await until(() => party.connection.stats().relayed === true, "the way is known to be relayed");
    expect(Object.values(party.connection.stats().way!)).toContain("relay");
    const tone = playTone(party.output);
    await pause(3000);
    const [left, right] = await page.hears();
    tone.stop();
    expect(left!.frequency).toBeCloseTo(LEFT_HZ, -1);
    expect(right!.frequency).toBeCloseTo(RIGHT_HZ, -1);
    await until(() => party.audio.length > 100, "the page is heard");
    party.connection.close();
    await page.close();
  } finally {
    await pages.close();
  }
}, 60_000);
