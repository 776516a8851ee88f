// A stranger's candidates must not make us send to our own network, to a metadata service, or to anything but a peer. The
// kernel of a network of its own counts what leaves, whatever it is for.
import { jest } from "@jest/globals";
import { Networks } from "../support/netns.ts";

jest.setTimeout(120_000);

const program = new URL("../support/hostile/candidate-victim.ts", import.meta.url).pathname;
let networks: Networks;
beforeAll(() => (networks = Networks.create()));
afterAll(async () => networks?.close());

const cases = [
  ["auto", "libdatachannel"],
  ["false", "libdatachannel"],
  ["auto", "wrtc"],
] as const;
const running = new Map<string, Promise<Readonly<Record<string, unknown>>>>();

beforeAll(async () => {
  for (const [index, [allow, engine]] of cases.entries()) {
    const host = `victim-${index}`;
    const other = `wire-${index}`;
    networks.cable({ host, address: "10.99.0.1/24" }, { host: other, address: "10.99.0.2/24" });
    networks.ip(host, "address", "add", "2600:99::1/64", "dev", other, "nodad");
    networks.ip(host, "route", "add", "default", "dev", other);
    networks.ip(host, "-6", "route", "add", "default", "dev", other);
    const proc = await networks.start(host, `victim-${index}`, process.execPath, [program, allow, engine]);
    const counts = proc.waitForJson(() => true, 100_000);
    counts.catch(() => undefined);
    running.set(`${allow} ${engine}`, counts);
  }
});

test.each(cases)(
  "with allowPrivate %s and %s no packet leaves for a forbidden candidate",
  async (allow, engine) => {
    const counts = Object.entries((await running.get(`${allow} ${engine}`)) ?? {});
    const controls = counts.filter(([name]) => name.startsWith("control"));
    const attacks = counts.filter(([name]) => !name.startsWith("control"));
    // What is allowed is contacted, so the counter counts; a neighbour only where the setting says so.
    for (const [name, count] of controls) {
      if (name === "control, own subnet" && allow === "false") expect([name, count]).toEqual([name, 0]);
      else expect(count).toBeGreaterThan(0);
    }
    expect(controls).toHaveLength(5);
    expect(attacks).toHaveLength(6);
    expect(Object.fromEntries(attacks)).toEqual(Object.fromEntries(attacks.map(([name]) => [name, 0])));
  },
);
