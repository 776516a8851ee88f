// The homeserver and the people that the other tests stand on.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MatrixRequestError, Person, callStateType } from "../support/people.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";

describe("a homeserver of our own", () => {
  let synapse: Synapse;
  let ada: Person;
  let bob: Person;
  let roomId: string;

  beforeAll(async () => {
    synapse = await startSynapse({ maxUploadSize: "1M" });
    ada = await Person.start(await synapse.createUser("ada", { exempt: true, displayName: "Ada" }));
    bob = await Person.start(await synapse.createUser("bob", { exempt: true }));
    roomId = await ada.createVoiceRoom({ invite: [bob.userId] });
    await bob.waitForEvent((event) => event.roomId === roomId && event.stateKey === bob.userId);
    await bob.join(roomId);
  });

  afterAll(async () => {
    await ada?.stop();
    await bob?.stop();
    await synapse?.stop();
  });

  test("a member without power may set its callstate, and another one sees it", async () => {
    const content = { join_state: "JOINED", timestamp: 1 };
    await bob.sendState(roomId, callStateType, `laptop@${bob.userId}`, content);
    const seen = await ada.waitForEvent((event) => event.type === callStateType);
    expect(seen).toMatchObject({ roomId, sender: bob.userId, stateKey: `laptop@${bob.userId}`, content });
    expect(await ada.readState(roomId, callStateType, `laptop@${bob.userId}`)).toEqual(content);
  });

  test("a member without power may not rename the room: the default power levels hold", async () => {
    await expect(bob.sendState(roomId, "m.room.name", "", { name: "mine" })).rejects.toMatchObject({
      status: 403,
      errcode: "M_FORBIDDEN",
    });
  });

  test("a message is received once, also by a wait that starts later", async () => {
    const eventId = await ada.sendText(roomId, "hello");
    const first = await bob.waitForMessage(roomId, /^hello$/);
    expect(first).toMatchObject({ eventId, sender: ada.userId });
    expect(await bob.waitForMessage(roomId, /^hello$/)).toBe(first);
    await expect(bob.waitForMessage(roomId, /^hello$/, 300, bob.position)).rejects.toThrow("no such event");
  });

  test("a file comes back byte for byte, and one over the limit is refused", async () => {
    const bytes = new Uint8Array(randomBytes(200_000));
    const mxc = await ada.uploadMedia(bytes, "audio/ogg", "clip.ogg");
    expect(Buffer.from(await bob.downloadMedia(mxc)).equals(bytes)).toBe(true);
    const tooLarge = ada.uploadMedia(new Uint8Array(1_100_000), "audio/ogg", "long.ogg");
    await expect(tooLarge).rejects.toMatchObject({ status: 413 });
  });

  test("the default limits bite, and not for who is exempt", async () => {
    const carl = new Person(await synapse.createUser("carl"));
    await ada.invite(roomId, carl.userId);
    await carl.join(roomId);
    const attempts = async (person: Person): Promise<PromiseSettledResult<string>[]> => {
      const results: PromiseSettledResult<string>[] = [];
      for (let i = 0; i < 15; i++) {
        results.push(...(await Promise.allSettled([person.sendText(roomId, `${i}`)])));
      }
      return results;
    };
    const refused = (await attempts(carl)).filter((result) => result.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    const reason: unknown = refused[0]?.reason;
    expect(reason).toBeInstanceOf(MatrixRequestError);
    expect(reason).toMatchObject({ status: 429, errcode: "M_LIMIT_EXCEEDED" });
    expect((reason as MatrixRequestError).retryAfterMs).toBeGreaterThan(0);
    expect((await attempts(ada)).every((result) => result.status === "fulfilled")).toBe(true);
  });

  test("a person can log in with the password", async () => {
    const dora = await synapse.createUser("dora");
    const response = await fetch(`${synapse.baseUrl}/_matrix/client/v3/login`, {
      method: "POST",
      body: JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: "dora" },
        password: dora.password,
      }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ user_id: dora.userId });
  });
});

test("a stopped homeserver leaves no process, and starts again on its folder with its users", async () => {
  const dir = await mkdtemp(join(tmpdir(), "voicebot-test-"));
  try {
    const first = await startSynapse({ dir });
    const eve = await first.createUser("eve", { exempt: true });
    const old = new Person(eve);
    const roomId = await old.createVoiceRoom({ roomVersion: "11" });
    await first.stop();
    expect(() => process.kill(first.pid, 0)).toThrow("ESRCH");

    const second = await startSynapse({ dir });
    const again = await Person.start({ ...eve, baseUrl: second.baseUrl });
    try {
      expect(await again.readState(roomId, "m.room.power_levels")).toMatchObject({
        users: { [eve.userId]: 100 },
      });
    } finally {
      await again.stop();
      await second.stop();
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});
