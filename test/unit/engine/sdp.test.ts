import { readAnswer, readOffer, readTransport } from "../../../src/media/engine/sdp.ts";
import {
  libraryMid,
  opusParameters,
  reverse,
  writeAnswer,
  writeForLibrary,
  writeOffer,
} from "../../../src/media/engine/sdp-write.ts";

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, "0").toUpperCase()).join(
  ":",
);
const transport = {
  ufrag: "1234", // reads as a number to a careless parser
  pwd: "0123456789012345678901",
  fingerprint: { hash: "sha-256", value: FINGERPRINT },
  setup: "actpass" as const,
  candidates: ["candidate:1 1 UDP 2113937151 192.0.2.1 50000 typ host"],
};
const stream = { ssrc: 4_000_000_000, cname: "name", msid: "stream", maxBitrate: 96_000 };

interface OfferOptions {
  before?: string[];
  port?: number;
  formats?: string;
  protocol?: string;
  lines?: string[];
  mid?: string | null;
  session?: string[];
  after?: string[];
}

/** An offer as Chromium writes it, with what a test wants to be different. */
function offer({
  before = [],
  port = 9,
  formats = "111 63 9 0 8 13 110 126",
  protocol = "UDP/TLS/RTP/SAVPF",
  lines = [
    ...["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1"],
    ...["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"],
  ],
  mid = "0",
  session = [],
  after = [],
}: OfferOptions = {}): string {
  return [
    "v=0",
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    ...session,
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS s",
    ...before,
    `m=audio ${port} ${protocol} ${formats}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    ...(session.length > 0 ? [] : transportLines()),
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    "a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "a=sendrecv",
    "a=msid:s t",
    "a=rtcp-mux",
    ...lines,
    "a=ssrc:3316449128 cname:x",
    "a=ssrc:3316449128 msid:s t",
    ...after,
    "",
  ].join("\r\n");
}

function transportLines(setup = "actpass"): string[] {
  return [
    "a=ice-ufrag:1234",
    "a=ice-pwd:0123456789012345678901",
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    `a=setup:${setup}`,
  ];
}

const video = [
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
  "c=IN IP4 0.0.0.0",
  ...transportLines(),
  "a=mid:v",
  "a=rtpmap:96 VP8/90000",
];
const data = [
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 0.0.0.0",
  ...transportLines(),
  "a=mid:d",
  "a=sctp-port:5000",
];

describe("readOffer", () => {
  test("reads what Chromium offers", () => {
    const candidates = [
      "a=candidate:1467250027 1 udp 2122260223 192.0.2.9 46243 typ host generation 0 network-id 1",
      "a=candidate:1467250028 1 udp 1686052607 198.51.100.7 46243 typ srflx raddr 10.0.0.1 rport 46243 generation 0",
      "a=candidate:nonsense",
      "a=candidate:1 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active",
    ];
    expect(readOffer(offer({ after: candidates }))).toEqual({
      transport: {
        ...transport,
        candidates: [
          "candidate:1467250027 1 UDP 2122260223 192.0.2.9 46243 typ host",
          "candidate:1467250028 1 UDP 1686052607 198.51.100.7 46243 typ srflx raddr 0.0.0.0 rport 0",
          "candidate:1 1 TCP 1518280447 192.0.2.9 9 typ host tcptype active",
        ],
      },
      index: 0,
      sections: [
        { kind: "audio", protocol: "UDP/TLS/RTP/SAVPF", formats: "111 63 9 0 8 13 110 126", mid: "0" },
      ],
      payloadType: 111,
      redPayloadType: 63,
      levelExtension: 14,
      direction: "sendrecv",
      ssrcs: [3_316_449_128],
    });
  });

  test("takes credentials of the session where the section has none of its own", () => {
    expect(readOffer(offer({ session: transportLines("passive") })).transport).toMatchObject({
      ...transport,
      setup: "passive",
      candidates: [],
    });
  });

  test("takes the first usable Opus section and its number, in any case of letters", () => {
    const muLaw = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", ...transportLines(), "a=mid:mu", "a=rtpmap:0 PCMU/8000"];
    const removed = [
      "m=audio 0 UDP/TLS/RTP/SAVPF 111",
      ...transportLines(),
      "a=mid:gone",
      "a=rtpmap:111 opus/48000/2",
    ];
    const second = [
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      ...transportLines(),
      "a=mid:b",
      "a=rtpmap:111 opus/48000/2",
    ];
    const remote = readOffer(
      offer({
        before: [...muLaw, ...removed, ...video],
        formats: "96 109",
        lines: ["a=rtpmap:96 L16/48000/2", "a=rtpmap:109 OPUS/48000/2"],
        after: second,
      }),
    );
    expect(remote).toMatchObject({ index: 3, payloadType: 109 });
    expect(remote.sections).toHaveLength(5);
  });

  test.each([
    ["a mono or slow Opus", offer({ lines: ["a=rtpmap:111 opus/48000", "a=rtpmap:110 opus/16000/2"] })],
    ["a number that RTCP needs", offer({ formats: "72", lines: ["a=rtpmap:72 opus/48000/2"] })],
    ["a number that the section does not list", offer({ formats: "0" })],
    ["unencrypted media", offer({ protocol: "RTP/AVPF" })],
    ["SDES encryption", offer({ protocol: "RTP/SAVPF" })],
    ["a section that is refused", offer({ port: 0 })],
    ["a weak fingerprint", offer().replace(/sha-256 [0-9A-F:]+/, `sha-1 ${FINGERPRINT.slice(0, 59)}`)],
    ["a fingerprint of another length", offer().replace(FINGERPRINT, FINGERPRINT.slice(0, 59))],
    ["a fingerprint that is none", offer().replace(FINGERPRINT, FINGERPRINT.replaceAll("0", "G"))],
    ["a short password", offer().replace("a=ice-pwd:0123456789012345678901", "a=ice-pwd:short")],
    ["an unknown role", offer().replace("setup:actpass", "setup:holdconn")],
    ["an identification with strange characters", offer({ mid: "a/b" })],
    ["too many sections", offer({ before: Array.from({ length: 70 }, () => video).flat() })],
    ["more than 48 KiB", offer({ after: Array.from({ length: 9000 }, () => "a=x:y") })],
    ["something before it", ` ${offer()}`],
    ["no text", ""],
  ])("refuses %s", (_, sdp) => {
    expect(() => readOffer(sdp)).toThrow(expect.objectContaining({ code: "bad_sdp" }));
  });

  test("takes at most 64 candidates", () => {
    const many = Array.from(
      { length: 200 },
      (_, i) => `a=candidate:${i} 1 udp 1 192.0.2.1 ${2000 + i} typ host`,
    );
    expect(readOffer(offer({ after: many })).transport.candidates).toHaveLength(64);
  });
});

describe("our own descriptions", () => {
  test("an offer says stereo, bit rate, stream and level extension, and reads back", () => {
    const sdp = writeOffer(transport, stream);
    for (const line of [
      "a=group:BUNDLE 0",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=rtpmap:111 opus/48000/2",
      "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=96000",
      "a=ssrc:4000000000 cname:name",
      "a=ssrc:4000000000 msid:stream stream-audio",
      "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
      "a=sendrecv",
      "a=rtcp-mux",
      "a=candidate:1 1 UDP 2113937151 192.0.2.1 50000 typ host",
    ])
      expect(sdp.split("\r\n")).toContain(line);
    expect(readOffer(sdp)).toMatchObject({
      transport,
      payloadType: 111,
      levelExtension: 1,
      ssrcs: [stream.ssrc],
    });
  });

  test("an answer keeps number, name, extension and order of the offer, and refuses the rest", () => {
    const remote = readOffer(
      offer({
        before: video,
        mid: "voice",
        formats: "109",
        lines: ["a=rtpmap:109 opus/48000/2"],
        after: data,
      }),
    );
    const lines = writeAnswer(remote, { ...transport, setup: "active" }, stream).split("\r\n");
    expect(lines.filter((line) => line.startsWith("m="))).toEqual([
      "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
      "m=audio 9 UDP/TLS/RTP/SAVPF 109",
      "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]);
    expect(lines.filter((line) => line.startsWith("a=mid:"))).toEqual(["a=mid:v", "a=mid:voice", "a=mid:d"]);
    expect(lines).toContain("a=group:BUNDLE voice");
    expect(lines).toContain("a=rtpmap:109 opus/48000/2");
    expect(lines).toContain("a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level");
    expect(lines.filter((line) => line === "a=setup:active")).toHaveLength(1);
  });

  test.each([
    ["sendrecv", "sendrecv", true],
    ["sendonly", "recvonly", false],
    ["recvonly", "sendonly", true],
    ["inactive", "inactive", false],
  ] as const)("to %s we answer %s", (theirs, ours, sends) => {
    const sdp = writeAnswer(readOffer(offer().replace("a=sendrecv", `a=${theirs}`)), transport, stream);
    expect(sdp).toContain(`\r\na=${ours}\r\n`);
    expect(sdp.includes("a=ssrc:")).toBe(sends);
    expect(reverse(theirs)).toBe(ours);
  });

  test("an offer without identification or extension gets an answer without", () => {
    const bare = readOffer(offer({ mid: null }).replace(/a=extmap:14.*\r\n/, ""));
    const sdp = writeAnswer(bare, { ...transport, setup: "active" }, stream);
    expect(sdp).not.toMatch(/a=(mid|group|extmap)/);
    expect(readAnswer(sdp)).toMatchObject({ payloadType: 111, levelExtension: null });
    expect(libraryMid(bare)).toBe("0");
  });

  test("an answer must take the section and choose a role", () => {
    const remote = readOffer(offer());
    const refusal = expect.objectContaining({ code: "bad_sdp" });
    expect(() => readAnswer(writeAnswer(remote, transport, stream))).toThrow(refusal);
    const good = writeAnswer(remote, { ...transport, setup: "passive" }, stream);
    expect(readAnswer(good).transport.setup).toBe("passive");
    expect(() => readAnswer(good.replace("m=audio 9", "m=audio 0"))).toThrow(refusal);
  });

  test("the library sees only what was checked: one section, no candidates, nothing of the rest", () => {
    const remote = readOffer(
      offer({ before: video, after: ["a=evil:1", "a=candidate:1 1 udp 1 127.0.0.1 22 typ host"] }),
    );
    const sdp = writeForLibrary(remote);
    expect(sdp.match(/^m=/gm)).toHaveLength(1);
    expect(sdp).not.toMatch(/evil|candidate|video|ssrc/);
    expect(readTransport(sdp, "active")).toEqual({ ...transport, candidates: [] });
  });
});

describe("redundant audio data", () => {
  const local = { ...transport, setup: "active" as const };
  const red = { ...stream, red: true };

  test("is offered behind Opus, so that nobody need send it", () => {
    const lines = writeOffer(transport, red).split("\r\n");
    for (const line of ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"])
      expect(lines).toContain(line);
  });

  test("is in the answer to who offers it, under their numbers, and in no other", () => {
    const theirs = offer()
      .replaceAll(/\b63\b/g, "120")
      .replaceAll("111", "109");
    const answer = writeAnswer(readOffer(theirs), local, red);
    expect(answer).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 109 120\r\n");
    expect(readAnswer(answer)).toMatchObject({ payloadType: 109, redPayloadType: 120 });
    const without = offer({ formats: "111", lines: ["a=rtpmap:111 opus/48000/2"] });
    for (const sdp of [
      writeAnswer(readOffer(without), local, red),
      writeAnswer(readOffer(offer()), local, stream),
      writeOffer(transport, stream),
    ])
      expect(sdp).not.toContain("red/");
    expect(readAnswer(writeAnswer(readOffer(without), local, red)).redPayloadType).toBeNull();
  });

  test("is not taken from an answer that repeats our offer to the letter", () => {
    const parameters = opusParameters(red.maxBitrate);
    const echo = writeOffer(transport, red).replace("setup:actpass", "setup:active");
    expect(readAnswer(echo, parameters)).toMatchObject({ payloadType: 111, redPayloadType: null });
    const own = echo.replace(parameters, "minptime=10;useinbandfec=1");
    expect(readAnswer(own, parameters)).toMatchObject({ payloadType: 111, redPayloadType: 63 });
  });

  test.each([
    ["no parameters", ["a=rtpmap:63 red/48000/2"]],
    ["one block only", ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111"]],
    ["another codec in it", ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/9"]],
    ["another rate", ["a=rtpmap:63 red/8000", "a=fmtp:63 111/111"]],
    ["parameters that are none", ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111;x=1"]],
    ["a number of RTCP's", ["a=rtpmap:72 red/48000/2", "a=fmtp:72 111/111"]],
  ])("is not used with %s", (_, lines) => {
    const sdp = offer({ formats: "111 63 72", lines: ["a=rtpmap:111 opus/48000/2", ...lines] });
    expect(readOffer(sdp)).toMatchObject({ payloadType: 111, redPayloadType: null });
  });
});
