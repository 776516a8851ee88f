// A member whose browser may only be reached over a relay, and the whole bot.
import { startCoturn } from "../support/coturn.ts";
import { sleep, Stage } from "../support/stage.ts";

test("over a relay the bot is heard and hears, with the homeserver's TURN server", async () => {
  const coturn = await startCoturn();
  const { uri: urls, secret } = coturn;
  const config = { turn_uris: [urls], turn_shared_secret: secret, turn_user_lifetime: "1h" };
  const stage = await Stage.start({ config });
  try {
    const scene = await stage.scene();
    const { username, password: credential } = coturn.credentials();
    const { page } = await scene.hostPage(
      "Chrome",
      { tone: 440 },
      {
        iceServers: [{ urls, username, credential }],
        iceTransportPolicy: "relay",
      },
    );
    await page.join();
    await scene.command("!play first light", /Now playing/);
    await page.connected(scene.botKey, 30_000);
    const heardAtMs = await page.firstSound(scene.botKey, 0, 20_000);
    await sleep(6000);
    const heard = await page.heard(scene.botKey, heardAtMs);
    expect(stage.matchFirstLight(heard, { segmentMs: 500 }).correlation).toBeGreaterThan(0.8);
    // What the bot reports of the page's packets.
    expect((await page.stats(scene.botKey))?.remoteFractionLost).toBe(0);
    expect(coturn.allocations()).toContain(username);
    expect(coturn.allocations().some((user) => user.endsWith(scene.botUser.userId))).toBe(true);
  } finally {
    await stage.close();
    await coturn.stop();
  }
});
