// Two homes behind routers, and what stands in the net between them: a homeserver's address and a TURN server.
//
//   bot 10.1.0.2 ── 10.1.0.1 routerA 44.128.1.2 ── 44.128.1.1 net 44.128.2.1 ── 44.128.2.2 routerB 10.2.0.1 ── 10.2.0.2 member
//                                                      44.128.0.1
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCoturn, type Coturn, type CoturnOptions } from "./coturn.ts";
import { Networks, type Nat } from "./netns.ts";

const forwarder = new URL("./netns-forward.ts", import.meta.url).pathname;
const NET = "44.128.0.1";
const HOMESERVER_PORT = 8008;

export const ADDRESSES = {
  net: NET,
  bot: "10.1.0.2",
  routerA: "44.128.1.2",
  member: "10.2.0.2",
  routerB: "44.128.2.2",
} as const;

/** `none`: the router only routes, and the net knows the way to the home. */
export interface Nats {
  readonly bot: Nat;
  readonly member: Nat | "none";
}

export class TwoHomes {
  readonly networks: Networks;
  /** What the homeserver is called in these networks. */
  readonly homeserverUrl = `http://${NET}:${HOMESERVER_PORT}`;
  readonly #server: Server;
  readonly #directory: string;
  readonly #coturns: Coturn[] = [];

  private constructor(networks: Networks, server: Server, directory: string) {
    this.networks = networks;
    this.#server = server;
    this.#directory = directory;
  }

  /** @param homeserverPort of the homeserver on 127.0.0.1 of this machine, which the networks reach as `homeserverUrl`. */
  static async build(nats: Nats, homeserverPort: number): Promise<TwoHomes> {
    const networks = Networks.create();
    const directory = await mkdtemp(join(tmpdir(), "voicebot-net-"));
    const path = join(directory, "homeserver");
    // Sockets in the file system know no namespaces.
    const server = createServer((socket) => {
      const onward = connect(homeserverPort, "127.0.0.1");
      socket.pipe(onward).pipe(socket);
      socket.on("error", () => onward.destroy()).on("close", () => onward.destroy());
      onward.on("error", () => socket.destroy());
    });
    const homes = new TwoHomes(networks, server, directory);
    try {
      await new Promise<void>((resolve) => server.listen(path, resolve));
      networks.cable({ host: "bot", address: "10.1.0.2/24" }, { host: "routerA", address: "10.1.0.1/24" });
      networks.cable(
        { host: "routerA", address: "44.128.1.2/24" },
        { host: "net", address: "44.128.1.1/24" },
      );
      networks.cable(
        { host: "net", address: "44.128.2.1/24" },
        { host: "routerB", address: "44.128.2.2/24" },
      );
      networks.cable({ host: "routerB", address: "10.2.0.1/24" }, { host: "member", address: "10.2.0.2/24" });
      networks.ip("net", "address", "add", `${NET}/32`, "dev", "lo");
      networks.route("net");
      for (const [host, gateway] of [
        ["bot", "10.1.0.1"],
        ["routerA", "44.128.1.1"],
        ["routerB", "44.128.2.1"],
        ["member", "10.2.0.1"],
      ] as const)
        networks.ip(host, "route", "add", "default", "via", gateway);
      networks.nat("routerA", "net", nats.bot);
      if (nats.member === "none") {
        networks.route("routerB");
        networks.ip("net", "route", "add", "10.2.0.0/24", "via", ADDRESSES.routerB);
      } else networks.nat("routerB", "net", nats.member);
      const args = ["--disable-warning=ExperimentalWarning", forwarder, NET, String(HOMESERVER_PORT), path];
      const forward = await networks.start("net", "forwarder", process.execPath, args);
      await forward.waitForLine(/^listening$/);
      return homes;
    } catch (error) {
      await homes.close();
      throw error;
    }
  }

  /** Builds the homes and removes them again, whatever happens in between. */
  static async within(
    nats: Nats,
    homeserverPort: number,
    work: (homes: TwoHomes) => Promise<void>,
  ): Promise<void> {
    const homes = await TwoHomes.build(nats, homeserverPort);
    try {
      await work(homes);
    } finally {
      await homes.close();
    }
  }

  /** A TURN (and STUN) server in the net between. */
  async coturn(options: Pick<CoturnOptions, "args" | "secret"> = {}): Promise<Coturn> {
    const netns = this.networks.host("net");
    const coturn = await startCoturn({ address: NET, port: 3478, netns, ...options });
    this.#coturns.push(coturn);
    return coturn;
  }

  /** Can be called again. */
  async close(): Promise<void> {
    await Promise.all(this.#coturns.map((coturn) => coturn.stop()));
    await this.networks.close();
    this.#server.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
