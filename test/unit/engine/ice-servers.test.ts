import { chooseServers } from "../../../src/media/engine/libdatachannel/ice-servers.ts";

const login = { username: "u", password: "p" };

test("one STUN and two TURN servers are used, the first ones", () => {
  const { used, unused } = chooseServers([
    { uri: "turn:a.test", ...login },
    { uri: "stun:b.test:19302" },
    { uri: "TURN:[2001:db8::1]:3479?transport=UDP", ...login },
    { uri: "stun:c.test" },
    { uri: "turn:d.test", ...login },
  ]);
  expect(used).toEqual([
    { hostname: "a.test", port: 3478, ...login, relayType: "TurnUdp" },
    { hostname: "b.test", port: 19_302 },
    { hostname: "2001:db8::1", port: 3479, ...login, relayType: "TurnUdp" },
  ]);
  expect(unused).toEqual([
    { uri: "stun:c.test", why: "only one STUN server is used" },
    { uri: "turn:d.test", why: "only two TURN servers are used" },
  ]);
});

test("what is not UDP, or no URI of a server, takes no place", () => {
  const uris = ["turns:a.test", "turn:b.test?transport=tcp", "stuns:c.test", "http://d.test", "turn:a b"];
  const { used, unused } = chooseServers([...uris.map((uri) => ({ uri })), { uri: "stun:e.test" }]);
  expect(used).toEqual([{ hostname: "e.test", port: 3478 }]);
  expect(unused.map(({ uri }) => uri)).toEqual(uris);
});

test("a server that is named twice is used once, with the credentials that came first", () => {
  const twice = [
    { uri: "turn:a.test", ...login },
    { uri: "turn:a.test:3478?transport=udp", username: "other", password: "wrong" },
    { uri: "stun:a.test" },
  ];
  expect(chooseServers(twice)).toEqual({
    used: [
      { hostname: "a.test", port: 3478, ...login, relayType: "TurnUdp" },
      { hostname: "a.test", port: 3478 },
    ],
    unused: [],
  });
});
