import { connect } from "node:net";
import { once } from "node:events";
import { systemClock } from "../../../src/base/system-clock.ts";
import { Listener, TEXT } from "../../../src/health/listener.ts";
import { probe } from "../../../src/health/probe.ts";
import { FakeClock } from "../../fakes/clock.ts";

const open: Listener[] = [];
afterEach(() => Promise.all(open.splice(0).map((listener) => listener.close())));

async function listen(
  pages: ConstructorParameters<typeof Listener>[0]["pages"],
  clock = systemClock,
): Promise<{ url: string; port: number }> {
  const listener = new Listener({ host: "127.0.0.1", port: 0, pages, clock });
  open.push(listener);
  const { port } = await listener.open();
  return { url: `http://127.0.0.1:${port}`, port };
}
const ok = (): { status: number; type: string; body: string } => ({
  status: 200,
  type: TEXT,
  body: "fine\n",
});

test("GET and HEAD get the page, everything else is refused unread", async () => {
  const { url } = await listen({ "/page": ok });
  const answer = await fetch(`${url}/page?x=1`);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe("fine\n");
  const head = await fetch(`${url}/page`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "5", ""]);
  const post = await fetch(`${url}/page`, { method: "POST", body: "x".repeat(1000) });
  expect([post.status, post.headers.get("allow"), post.headers.get("connection")]).toEqual([
    405,
    "GET, HEAD",
    "close",
  ]);
  expect((await fetch(`${url}/constructor`)).status).toBe(404);
});

test("a page that fails or takes too long is an error, and the listener goes on", async () => {
  const clock = new FakeClock();
  const { url } = await listen(
    { "/broken": () => Promise.reject(new Error("no")), "/slow": () => new Promise(() => {}), "/page": ok },
    clock,
  );
  expect((await fetch(`${url}/broken`)).status).toBe(500);
  const slow = fetch(`${url}/slow`);
  while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(6_000);
  expect((await slow).status).toBe(500);
  expect((await fetch(`${url}/page`)).status).toBe(200);
});

test("closing ends connections that say nothing", async () => {
  const { port } = await listen({ "/page": ok });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("GET /pa");
  await open[0]?.close();
  await closed;
});

test("an address that is taken is told with the setting's name", async () => {
  const { port } = await listen({});
  const second = new Listener({ host: "127.0.0.1", port, pages: {}, clock: systemClock });
  await expect(second.open()).rejects.toThrow(/VOICEBOT_HEALTH_LISTEN.*EADDRINUSE/);
  await second.close();
});

test("the probe tells the reasons, and when nobody answers", async () => {
  let body = '{"reason":"sync_stale","what":"is it up?"}\n{"reason":"x","what":"y","room":"!r:test"}\n';
  let status = 503;
  const { port } = await listen({ "/readyz": () => ({ status, type: TEXT, body }) });
  const target = { host: "0.0.0.0", port };
  expect(await probe(target)).toEqual(["sync_stale: is it up?", "x: !r:test: y"]);
  body = "<html>";
  expect(await probe(target)).toEqual(["the bot answered 503"]);
  status = 200;
  expect(await probe(target)).toEqual([]);
  await open[0]?.close();
  expect(await probe(target)).toEqual([expect.stringMatching(/^no answer of the bot on /)]);
});
