// The now-playing card in a real room: the whole bot, Synapse with its default limits, people in the channel who press.
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { jest } from "@jest/globals";
import { jpegSize } from "../../src/media/cover/picture.ts";
import type { MatrixEvent } from "../support/people.ts";
import { FIRST_LIGHT, Stage, type Scene } from "../support/stage.ts";

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

describe("covers", () => {
  let mediaDir: string;
  beforeAll(async () => {
    mediaDir = await mkdtemp(join(tmpdir(), "voicebot-covers-"));
    await mkdir(join(mediaDir, "album"));
    const ffmpeg = (...args: string[]): Promise<unknown> =>
      promisify(execFile)("ffmpeg", ["-nostdin", "-v", "error", ...args]);
    const picture = join(mediaDir, "picture.png");
    await ffmpeg("-f", "lavfi", "-i", "testsrc2=s=900x600", "-frames:v", "1", picture);
    const copied = ["-map", "0:a", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic"];
    const title = ["-metadata", "title=With a picture"];
    await ffmpeg("-i", FIRST_LIGHT, "-i", picture, ...copied, ...title, join(mediaDir, "in it.mp3"));
    await ffmpeg(
      "-i",
      FIRST_LIGHT,
      "-c",
      "copy",
      "-metadata",
      "title=Bare",
      join(mediaDir, "album", "bare.mp3"),
    );
    await writeFile(join(mediaDir, "cover.jpg"), "<html>no picture</html>");
    await copyFile(picture, join(mediaDir, "album", "folder.png"));
  });
  afterAll(() => rm(mediaDir, { recursive: true, force: true }));

  test("of files and from beside them are on the card, as small JPEGs that the homeserver has; uploaded once", async () => {
    const scene = await stage.scene({ mediaDir });
    const { page } = await scene.hostPage();
    await page.join();
    const shown = async (title: RegExp): Promise<{ mxc: string; html: string }> => {
      let found: { mxc: string; html: string } | undefined;
      await scene.host.waitForEvent(({ sender, content }) => {
        if (sender !== scene.botUser.userId) return false;
        const now = (content["m.new_content"] ?? content) as { formatted_body?: unknown };
        const html = String(now.formatted_body);
        const mxc = /<br><img src="(mxc:\/\/[^"]+)" alt="" width="160" height="107">$/.exec(html)?.[1];
        if (mxc !== undefined && title.test(html)) found = { mxc, html };
        return found !== undefined;
      }, 90_000);
      return found!;
    };
    await scene.command("!play in it", /^▶ Now playing .*With a picture/);
    const { mxc } = await shown(/With a picture/);
    const bytes = Buffer.from(await scene.host.downloadMedia(mxc));
    expect(jpegSize(bytes)).toEqual({ width: 320, height: 213 });
    expect(bytes.length).toBeLessThan(60_000);
    await scene.command("!play bare", /Added .*Bare/);
    await scene.command("!skip", /Skipped/);
    // The same picture.
    expect((await shown(/Bare/)).mxc).toBe(mxc);
  });
});
