// Descriptions made to hurt, through to the library: each is answered or refused, and nothing of them comes back out.
import { BotError } from "../../src/base/errors.ts";
import type { Engine } from "../../src/media/engine/engine.ts";
import { connect, Party, until } from "./engine-behaviour.ts";

type Damage = (sdp: string) => string;
const add =
  (...lines: string[]): Damage =>
  (sdp) =>
    sdp + lines.map((line) => `${line}\r\n`).join("");
const swap =
  (pattern: RegExp, by: string): Damage =>
  (sdp) =>
    sdp.replace(pattern, by);
const FP = Array.from({ length: 32 }, () => "AA").join(":");
const video = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:v", "a=rtpmap:96 VP8/90000"];

/** Those that are answered, and those that are refused as `bad_sdp`. */
const answered: Record<string, Damage> = {
  video: add(...video),
  "several audio sections": (sdp) => sdp + sdp.slice(sdp.indexOf("m=audio")).replace("a=mid:0", "a=mid:1"),
  "duplicate identifications": (sdp) => sdp + sdp.slice(sdp.indexOf("m=audio")),
  "a data channel": add("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d", "a=sctp-port:5000"),
  "the longest user fragment": swap(/a=ice-ufrag:.*/, `a=ice-ufrag:${"u".repeat(256)}`),
  "the longest password": swap(/a=ice-pwd:.*/, `a=ice-pwd:${"p".repeat(256)}`),
  "a user fragment with a colon": swap(/a=ice-ufrag:.*/, "a=ice-ufrag:a:b:c:d%n%s"),
  "a fingerprint of somebody else": swap(/a=fingerprint:.*/, `a=fingerprint:sha-256 ${FP}`),
  "sha-512": swap(/a=fingerprint:.*/, `a=fingerprint:sha-512 ${FP}:${FP}`),
  "lines to inject": add(
    "a=cname:x\na=setup:active",
    "a=ssrc:1 cname:x\\r\\na=evil:1",
    "a=msid:<script> \u2028a=evil:2",
  ),
  "lonely returns": (sdp) => sdp.replaceAll("\r\n", "\n"),
  "lines that are none": add("", "garbage", "=", "a", "\u0000", "a=", "z=", "m"),
  "keys of objects": add(
    "a=__proto__:1",
    "a=constructor:1",
    "a=toString:x",
    "a=fmtp:111 __proto__=1;constructor=2",
    "a=ssrc:1 __proto__:x",
  ),
  "a thousand streams": add(...Array.from({ length: 1000 }, (_, i) => `a=ssrc:${i + 1} cname:${i}`)),
  "strange numbers": add(
    "a=ssrc:99999999999999999999 cname:x",
    "a=ssrc:-1 cname:x",
    "a=extmap:1e308 urn:x",
    "a=ptime:NaN",
    "b=AS:1e999",
    "a=maxptime:-5",
  ),
  "a session of another version": swap(/o=.*/, "o=- 99999999999999999999 -1 IN IP6 ::1"),
  "a level extension with the largest number": add(
    "a=extmap:255 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  ),
  "the last payload type": (sdp) => sdp.replaceAll("111", "127"),
  "a static payload type": (sdp) => sdp.replaceAll("111", "0"),
  "lone surrogates": add("a=msid:\ud800 \udc00", "s=\ud800"),
  "a fingerprint with more": swap(/a=fingerprint:.*/, `a=fingerprint:sha-256 ${FP} x`),
  "an identification with a line end": swap(
    /a=mid:.*/,
    "a=mid:0\ra=candidate:1 1 udp 1 127.0.0.1 9999 typ host",
  ),
  "an identification with a blank": swap(/a=mid:.*/, "a=mid:0 1"),
  "every role it may have": swap(/a=setup:.*/, "a=setup:passive"),
};
const refused: Record<string, Damage> = {
  "no Opus": (sdp) => sdp.replaceAll("opus/48000/2", "VP8/90000"),
  "sha-1": swap(/a=fingerprint:.*/, `a=fingerprint:sha-1 ${FP.slice(0, 59)}`),
  md5: swap(/a=fingerprint:.*/, `a=fingerprint:md5 ${FP.slice(0, 47)}`),
  "no fingerprint": swap(/a=fingerprint:.*\r\n/, ""),
  "a fingerprint too short": swap(/a=fingerprint:.*/, "a=fingerprint:sha-256 AA"),
  "a thousand sections": add(...Array.from({ length: 1000 }, (_, i) => `m=audio 9 X ${i}`)),
  "two megabytes": add(
    ..."x"
      .repeat(2000)
      .split("")
      .map(() => `a=x:${"y".repeat(1000)}`),
  ),
  "a user fragment of 257": swap(/a=ice-ufrag:.*/, `a=ice-ufrag:${"u".repeat(257)}`),
  "a user fragment of a line end": swap(/a=ice-ufrag:.*/, "a=ice-ufrag:ab\rcd"),
  "no user fragment": swap(/a=ice-ufrag:.*\r\n/, ""),
  "a blank in the password": swap(/a=ice-pwd:.*/, `a=ice-pwd:${"p".repeat(20)} ${"p".repeat(20)}`),
  "an identification of 65": swap(/a=mid:.*/, `a=mid:${"m".repeat(65)}`),
  "a refused section": swap(/m=audio 9/, "m=audio 0"),
  "no encryption": swap(/UDP\/TLS\/RTP\/SAVPF/, "RTP/AVPF"),
  "a payload type of RTCP": (sdp) => sdp.replaceAll("111", "72"),
  "a payload type of 128": (sdp) => sdp.replaceAll("111", "128"),
  "a role that nobody has": swap(/a=setup:.*/, "a=setup:holdconn"),
  "something in front": (sdp) => `x${sdp}`,
  "only its first line": () => "v=0",
  "null characters": (sdp) => `v=0\u0000${sdp.slice(3)}`.replaceAll("opus", "op\u0000us"),
};

async function strangersOffer(engine: Engine): Promise<string> {
  const party = new Party(engine, "stranger");
  const sdp = await party.connection.createOffer();
  party.connection.close();
  return sdp;
}

/** What every engine that meets strangers stands. */
export function describeHostile(
  name: string,
  create: () => Engine,
  /** Of what others answer what this library refuses by itself. */
  { stricter = [] }: { stricter?: readonly string[] } = {},
): void {
  describe(`${name}:`, () => {
    let engine: Engine;
    beforeAll(() => {
      engine = create();
    });
    afterAll(() => engine.close());

    describe("an offer with", () => {
      test.each(Object.entries(answered).filter(([what]) => !stricter.includes(what)))(
        "%s is answered, with our own lines only",
        async (_, damage) => {
          const victim = new Party(engine, "victim");
          const answer = await victim.connection.createAnswer(damage(await strangersOffer(engine)));
          expect(answer).not.toMatch(/evil|script|__proto__|constructor|%n|garbage|\u0000|[^\r]\n|\r[^\n]/);
          expect(answer.match(/^m=audio [^0]/gm)).toHaveLength(1);
          expect(answer.match(/^a=fingerprint:/gm)).toHaveLength(1);
          victim.connection.close();
        },
      );

      const alsoRefused = Object.entries(answered).filter(([what]) => stricter.includes(what));
      test.each([...Object.entries(refused), ...alsoRefused])("%s is refused", async (_, damage) => {
        const victim = new Party(engine, "victim");
        const work = victim.connection.createAnswer(damage(await strangersOffer(engine)));
        await expect(work).rejects.toMatchObject({ code: "bad_sdp" });
        victim.connection.close();
      });
    });

    test("an answer damaged in any of these ways leaves a connection that can be closed", async () => {
      for (const damage of [...Object.values(answered), ...Object.values(refused)]) {
        const victim = new Party(engine, "victim");
        const stranger = new Party(engine, "stranger");
        const answer = await stranger.connection.createAnswer(await victim.connection.createOffer());
        await victim.connection.acceptAnswer(damage(answer)).catch((error: unknown) => {
          if (!(error instanceof BotError)) throw error;
        });
        victim.connection.close();
        stranger.connection.close();
      }
    }, 60_000);

    test("whoever has another certificate than announced does not get in", async () => {
      const victim = new Party(engine, "victim");
      const stranger = new Party(engine, "stranger");
      const lie = swap(/a=fingerprint:.*/, `a=fingerprint:sha-256 ${FP}`);
      const offer = lie(await stranger.connection.createOffer());
      await stranger.connection.acceptAnswer(await victim.connection.createAnswer(offer));
      await until(() => victim.states.at(-1) === "failed", "it failed", 15_000);
      expect(victim.states).not.toContain("connected");
      stranger.connection.close();
    });

    test("random damage of a good offer ends in an answer or a refusal, and the engine still works", async () => {
      const offer = await strangersOffer(engine);
      let seed = 1;
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
      const alphabet = [
        "\r\n",
        "\n",
        "a=",
        "m=",
        ":",
        " ",
        "0",
        "-1",
        "é",
        "\u0000",
        "a=candidate:",
        "99999999999",
        "\ud800",
      ];
      for (let round = 0; round < 150; round++) {
        let sdp = offer;
        for (let change = 0; change <= random(6); change++) {
          const at = random(sdp.length);
          sdp = sdp.slice(0, at) + (alphabet[random(alphabet.length)] ?? "") + sdp.slice(at + random(20));
        }
        const victim = new Party(engine, "victim");
        await victim.connection.createAnswer(sdp).catch((error: unknown) => {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(bad_sdp|engine_failed)$/) });
        });
        victim.connection.close();
      }
      const [a, b] = [new Party(engine, "a"), new Party(engine, "b")];
      await connect(a, b);
      a.connection.close();
    }, 60_000);
  });
}
