// The now-playing card in a real room: the whole bot, Synapse with its default limits, people in the channel who press.
import { jest } from "@jest/globals";
import type { MatrixEvent } from "../support/people.ts";
import { Stage, type Scene } from "../support/stage.ts";

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => (stage = await Stage.start()), 120_000);
afterAll(() => stage?.close());

const relationOf = ({ content }: MatrixEvent): Record<string, unknown> =>
  (content["m.relates_to"] ?? {}) as Record<string, unknown>;

class Card {
  readonly scene: Scene;
  constructor(scene: Scene) {
    this.scene = scene;
  }

  get sent(): MatrixEvent[] {
    const { host, botUser, roomId } = this.scene;
    return host.events.filter((event) => event.sender === botUser.userId && event.roomId === roomId);
  }

  /** Messages that are cards, edits of them left out. */
  get posts(): MatrixEvent[] {
    return this.sent.filter(
      (event) =>
        /^(▶|⏸)/.test(String(event.content["body"])) && relationOf(event)["rel_type"] !== "m.replace",
    );
  }

  edited(eventId: string, text: RegExp, after: number): Promise<MatrixEvent> {
    return this.scene.host.waitForEvent(
      (event) => {
        const { rel_type: kind, event_id: target } = relationOf(event);
        const now = (event.content["m.new_content"] ?? {}) as { body?: unknown };
        return kind === "m.replace" && target === eventId && text.test(String(now.body));
      },
      60_000,
      after,
    );
  }
}

test("one message is the answer, is edited, has buttons that ask who may, and is taken over by the next run", async () => {
  const scene = await stage.scene();
  const card = new Card(scene);
  const { page } = await scene.hostPage();
  await page.join();
  const guest = await scene.guest("guest", "Firefox");
  await guest.page.join();
  await scene.command("!play first light", /^▶ Now playing .*First Light/);
  await scene.command("!play small hours", /Added .*Small Hours/);
  const [posted] = card.posts;
  expect(posted?.content).toMatchObject({ msgtype: "m.notice", "m.mentions": {} });
  expect(relationOf(posted!)["m.in_reply_to"]).toBeDefined();
  const eventId = posted!.eventId;
  await card.edited(eventId, /Next: .*Small Hours/, 0);

  // Buttons of the bot come when there is budget; one's own count before that.
  let { position } = scene.host;
  await guest.person.react(scene.roomId, eventId, "⏹️");
  await scene.botSays(/^guest: Only who asked for the tracks.* power level 50/, 60_000, position);
  await guest.person.react(scene.roomId, eventId, "⏭️");
  await card.edited(eventId, /First Light[^]*1 of 2 want to skip this/, position);
  ({ position } = scene.host);
  await scene.host.react(scene.roomId, eventId, "⏭️");
  const skipped = await card.edited(eventId, /^▶ Now playing .*Small Hours/, position);
  expect((skipped.content["m.new_content"] as { body: string }).body).not.toMatch(/want to skip|Next:/);
  ({ position } = scene.host);
  await guest.person.react(scene.roomId, eventId, "⏯️");
  await card.edited(eventId, /^⏸ Paused: .*Small Hours/, position);
  const offered = (): unknown[] =>
    card.sent
      .filter((event) => relationOf(event)["rel_type"] === "m.annotation")
      .map((event) => relationOf(event)["key"]);
  await scene.host.waitForEvent(() => offered().length >= 2, 90_000, position);

  await scene.bot.kill();
  ({ position } = scene.host);
  await scene.bot.startAgain();
  await scene.bot.event("channel_state", { new: "in" }, 60_000);
  await guest.person.react(scene.roomId, eventId, "🔉");
  await card.edited(eventId, /^⏸ Paused: .*Small Hours[^]*volume 90 %/, position);
  expect(card.posts).toHaveLength(1);
  expect(new Set(offered()).size).toBe(offered().length);
});
