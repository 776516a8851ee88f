import {
  connectionId,
  decodeMembership,
  decodeSignal,
  encodeCandidate,
  encodeDescription,
  GLARE_FIELD,
  GLARE_RULE,
} from "../../../src/channel/codec.ts";

const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\na=ice-ufrag:abcd\r\n";
const line = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host";
const head = { sender: "Chrome", receiver: "BOT@b:hs" };

describe("membership", () => {
  test.each([
    ["a number is the web client", { join_state: "JOINED", timestamp: 1_700_000_000_000 }, "JOINED", "web"],
    ["a decimal string is the README", { join_state: "LEFT", timestamp: "1700000000000" }, "LEFT", "readme"],
    ["absent is the README", { join_state: "JOINED" }, "JOINED", "readme"],
    ["null counts as absent", { join_state: "JOINED", timestamp: null }, "JOINED", "readme"],
  ])("timestamp: %s", (_, content, joinState, form) => {
    expect(decodeMembership(content)).toEqual({ ok: true, value: { joinState, form, glareRule: false } });
  });

  test("our rule for glare is a field that others need not know", () => {
    const content = { join_state: "JOINED", timestamp: 1, [GLARE_FIELD]: GLARE_RULE };
    expect(decodeMembership(content)).toMatchObject({ ok: true, value: { glareRule: true } });
    expect(decodeMembership({ ...content, [GLARE_FIELD]: 7 })).toMatchObject({
      ok: true,
      value: { glareRule: false },
    });
  });

  test.each([
    [{}],
    [{ join_state: "joined" }],
    [{ join_state: "JOINED", timestamp: "soon" }],
    [{ join_state: "JOINED", timestamp: {} }],
    ["JOINED"],
    [null],
  ])("anything else is ignored: %j", (content) => {
    expect(decodeMembership(content)).toEqual({ ok: false, reason: "malformed" });
  });
});

describe("descriptions", () => {
  const cases = (["offer", "answer"] as const).flatMap((type) => [
    [type, "JSON string", JSON.stringify({ type, sdp }), "web"] as const,
    [type, "JSON object", { type, sdp }, "web"] as const,
    [type, "raw SDP", sdp, "readme"] as const,
  ]);
  test.each(cases)("%s as %s", (type, _, body, form) => {
    expect(decodeSignal({ ...head, rtc_type: type, body })).toEqual({
      ok: true,
      value: { type, key: "Chrome", receiver: "BOT@b:hs", form, sdp },
    });
  });

  test("absent receiver is everyone", () => {
    const decoded = decodeSignal({ sender: "Chrome", rtc_type: "offer", body: sdp });
    expect(decoded).toMatchObject({ ok: true, value: { receiver: null } });
  });

  test.each([
    ["contradicting itself", JSON.stringify({ type: "answer", sdp }), "malformed"],
    ["broken JSON", '{"type":"offer"', "malformed"],
    ["no SDP", JSON.stringify({ type: "offer", sdp: "hello" }), "malformed"],
    ["text", "hello", "malformed"],
    ["no body", undefined, "malformed"],
    ["48 KiB and more, raw", `v=0\n${"x".repeat(48 * 1024)}`, "too_large"],
    ["48 KiB and more, JSON", JSON.stringify({ sdp: `v=0\n${"x".repeat(48 * 1024)}` }), "too_large"],
    ["48 KiB by bytes, not characters", `v=0\n${"ä".repeat(25 * 1024)}`, "too_large"],
    ["absurd JSON", `{"sdp":"v=0${"\\n".repeat(100_000)}"}`, "malformed"],
  ])("dropped: %s", (_, body, reason) => {
    expect(decodeSignal({ ...head, rtc_type: "offer", body })).toEqual({ ok: false, reason });
  });

  test("just under 48 KiB passes", () => {
    const large = `v=0\n${"x".repeat(48 * 1024 - 4)}`;
    expect(decodeSignal({ ...head, rtc_type: "offer", body: large }).ok).toBe(true);
  });
});

describe("candidates", () => {
  const init = { candidate: line, sdpMid: "0", sdpMLineIndex: 0 };
  const cases = ["candidate", "icecandidate"].flatMap((rtcType) => [
    [rtcType, "JSON string", JSON.stringify(init), "web", "0"] as const,
    [rtcType, "JSON object", init, "web", "0"] as const,
    [rtcType, "raw", line, "readme", null] as const,
    [rtcType, "SDP attribute", `a=${line}\r\n`, "readme", null] as const,
  ]);
  test.each(cases)("%s as %s", (rtcType, _, body, form, mid) => {
    expect(decodeSignal({ ...head, rtc_type: rtcType, body })).toEqual({
      ok: true,
      value: { type: "candidate", key: "Chrome", receiver: "BOT@b:hs", form, candidate: line, mid },
    });
  });

  test.each([
    ["end of candidates", JSON.stringify({ candidate: "" }), "end_of_candidates"],
    ["over 1 KiB", `candidate:${"1".repeat(1024)}`, "too_large"],
    ["several lines", `${line}\r\na=setup:active`, "malformed"],
    ["something else", JSON.stringify({ candidate: "a=setup:active" }), "malformed"],
    ["no candidate", "{}", "malformed"],
  ])("dropped: %s", (_, body, reason) => {
    expect(decodeSignal({ ...head, rtc_type: "icecandidate", body })).toEqual({ ok: false, reason });
  });
});

describe("keys and kinds", () => {
  test.each([
    ["an empty sender", { sender: "", rtc_type: "offer", body: sdp }],
    ["256 bytes", { sender: "ä".repeat(128), rtc_type: "offer", body: sdp }],
    ["no sender", { rtc_type: "offer", body: sdp }],
    ["another rtc_type", { ...head, rtc_type: "hangup", body: sdp }],
    ["a receiver that is no string", { sender: "Chrome", receiver: 7, rtc_type: "offer", body: sdp }],
  ])("dropped: %s", (_, content) => {
    expect(decodeSignal(content)).toEqual({ ok: false, reason: "malformed" });
  });
});

describe("writing", () => {
  test("web form: JSON string, receiver, icecandidate", () => {
    expect(encodeDescription("web", "offer", "me", "you", sdp)).toEqual({
      rtc_type: "offer",
      sender: "me",
      receiver: "you",
      body: JSON.stringify({ type: "offer", sdp }),
    });
    expect(encodeCandidate("web", "me", "you", line, "0")).toEqual({
      rtc_type: "icecandidate",
      sender: "me",
      receiver: "you",
      body: JSON.stringify({ candidate: line, sdpMid: "0", sdpMLineIndex: 0 }),
    });
  });

  test("README form: raw, candidate without receiver", () => {
    expect(encodeDescription("readme", "answer", "me", "you", sdp)).toEqual({
      rtc_type: "answer",
      sender: "me",
      receiver: "you",
      body: sdp,
    });
    expect(encodeCandidate("readme", "me", "you", line, "0")).toEqual({
      rtc_type: "candidate",
      sender: "me",
      body: line,
    });
  });

  test("what is written is read again", () => {
    for (const form of ["web", "readme"] as const) {
      const offer = decodeSignal(encodeDescription(form, "offer", "me", "you", sdp));
      expect(offer).toEqual({ ok: true, value: { type: "offer", key: "me", receiver: "you", form, sdp } });
      expect(decodeSignal(encodeCandidate(form, "me", "you", line, "0")).ok).toBe(true);
    }
  });
});

test("a connection is told from the next by user fragment and fingerprint", () => {
  const one = `${sdp}a=fingerprint:sha-256 AB:CD\r\n`;
  expect(connectionId(one)).toBe(connectionId(one.replace("AB:CD", "ab:cd")));
  expect(connectionId(one)).not.toBe(connectionId(one.replace("abcd", "efgh")));
  expect(connectionId(one)).not.toBe(connectionId(one.replace("AB:CD", "AB:CE")));
});

describe("what strangers write", () => {
  // The first was quadratic once: eight seconds of the whole bot for one offer. Linear, it is nothing beside the time-out.
  test.each(["a=fingerprint:", "a=fingerprint:sha-256 ", "a=ice-ufrag:"])(
    "a line of 48 KB after %s is read at once",
    async (head) => {
      for (const fill of [" ", "\t", "a", "\n", "\r", "\u2028", "a=fingerprint:"]) {
        for (const end of ["x", " x", ""]) {
          const line = head + fill.repeat(Math.floor(48_000 / fill.length)) + end;
          expect(typeof connectionId(`v=0\r\n${line}\r\n`)).toBe("string");
        }
        await new Promise((resolve) => setTimeout(resolve, 1)); // the time-out has its say
      }
    },
  );

  test("an empty line is no part of the next one", () => {
    const sdp = "v=0\r\na=ice-ufrag:abcd\r\na=fingerprint:\r\na=mid:0\r\na=fingerprint:sha-256 AA \r\n";
    expect(connectionId(sdp)).toBe("abcd sha-256 aa");
  });
});
