import { ListenerVolumes } from "../../../src/player/listener-volumes.ts";
import { localIce } from "../../contract/plane-rig.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";
import { FakePlane } from "../../fakes/plane.ts";

const channel = "!r:x";
const members = [
  { key: "phone@ann:x", userId: "@ann:x" },
  { key: "desk@ann:x", userId: "@ann:x" },
  { key: "free text", userId: "@ben:x" },
];
let plane: FakePlane;
let documents: FakeDocuments;
let volumes: ListenerVolumes;

const create = (): ListenerVolumes =>
  new ListenerVolumes({ plane, channel, documents, members: () => members });
const come = (peer: string, state: "connecting" | "connected" = "connecting"): void =>
  plane.emit({ kind: "peer.state", channel, peer, state });

beforeEach(async () => {
  plane = new FakePlane({ clock: new FakeClock() });
  documents = new FakeDocuments();
  volumes = create();
  await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
});
afterEach(() => volumes.close());

test("a volume holds for all devices of its person at once, and for nobody else", () => {
  volumes.set("@ann:x", 60);
  expect(members.map(({ key }) => plane.volumeOf(channel, key))).toEqual([60, 60, 100]);
  volumes.set("@ann:x", null);
  expect(members.map(({ key }) => plane.volumeOf(channel, key))).toEqual([100, 100, 100]);
  expect(volumes.of("@ann:x")).toBeNull();
});

test("it is there again with each new connection, after a crash of the media plane and after a restart", async () => {
  volumes.set("@ben:x", 150);
  plane.crash();
  plane.up();
  await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
  expect(plane.volumeOf(channel, "free text")).toBe(100);
  come("free text");
  come("phone@ann:x");
  expect(plane.volumeOf(channel, "free text")).toBe(150);
  expect(plane.requests.filter(({ kind }) => kind === "peer.volume")).toHaveLength(2);
  volumes.close();
  volumes = create();
  expect(volumes.of("@ben:x")).toBe(150);
});

test("so many people's are kept, those of who set them first are not", () => {
  const all = Array.from({ length: 1_000 }, (_, i) => [`@p${i}:x`, 50] as const);
  documents.write("listener-volumes", Object.fromEntries(all));
  volumes.set("@new:x", 60);
  expect(volumes.of("@new:x")).toBe(60);
  expect(volumes.of("@p0:x")).toBeNull();
  expect(volumes.of("@p1:x")).toBe(50);
});

test("what cannot be read is nobody's volume", () => {
  volumes.close();
  documents.write("listener-volumes", { "@ann:x": 999 });
  volumes = create();
  expect(volumes.of("@ann:x")).toBeNull();
  come("phone@ann:x");
  expect(plane.requests.filter(({ kind }) => kind === "peer.volume")).toEqual([]);
});
