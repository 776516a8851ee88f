import wrtc from "@roamhq/wrtc";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createEngine } from "../../../src/media/engine/wrtc/index.ts";
import { connectOverLossyWay, Party, until } from "../engine-behaviour.ts";
import { describePcmEngine, expectTone, playPcm } from "../engine-pcm.ts";

describePcmEngine("wrtc", () => createEngine({ clock: systemClock, log: silentLog }), connectOverLossyWay);
describe("wrtc alone", () => {
  /** What a browser is to us: the library itself, with an offer of which each piece is ours. */
  async function describeOther(other: RTCPeerConnection, options: RTCOfferOptions = {}): Promise<string> {
    const complete = new Promise<void>((resolve) => {
      other.onicegatheringstatechange = () => {
        if (other.iceGatheringState === "complete") resolve();
      };
    });
    await other.setLocalDescription(await other.createOffer(options));
    await complete;
    return other.localDescription?.sdp ?? "";
  }
  const ufragOf = (sdp: string | null): string | undefined => /a=ice-ufrag:(.*)/.exec(sdp ?? "")?.[1];

  test("ICE is restarted on the connection that there is, and what is said goes on; nothing else is a restart", async () => {
    const engine = createEngine({ clock: systemClock, log: silentLog });
    const own = new Party(engine, "own");
    const source = new wrtc.nonstandard.RTCAudioSource();
    const other = new wrtc.RTCPeerConnection();
    other.addTrack(source.createTrack());
    const tone = playPcm(
      {
        write: ({ pcm }) => {
          for (const at of [0, 960]) {
            const rest = { sampleRate: 48_000, bitsPerSample: 16, channelCount: 2, numberOfFrames: 480 };
            source.onData({ samples: pcm!.slice(at, at + 960), ...rest });
          }
        },
        setBitrate() {},
        close() {},
      },
      440,
    );
    try {
      const offer = await describeOther(other);
      expect(own.connection.restart(offer)).toBeNull();
      const answer = await own.connection.createAnswer(offer);
      await other.setRemoteDescription({ type: "answer", sdp: answer });
      own.connection.answerSent();
      await until(() => own.connected, "it is connected");
      await expectTone(own, 440);
      const again = await describeOther(other, { iceRestart: true });
      const foreign = again.replace(/(a=fingerprint:sha-256 ).*/, `$1${"AA:".repeat(31)}AA`);
      for (const none of [offer, foreign, "hello"]) expect(own.connection.restart(none)).toBeNull();
      const restarted = await own.connection.restart(again);
      expect(ufragOf(restarted)).toBeDefined();
      expect(ufragOf(restarted)).not.toBe(ufragOf(answer));
      await other.setRemoteDescription({ type: "answer", sdp: restarted ?? "" });
      own.connection.answerSent();
      await until(() => own.states.length >= 4, "it is connected again");
      expect(own.states).toEqual(["connecting", "connected", "connecting", "connected"]);
      own.pcm.length = 0;
      await expectTone(own, 440);
    } finally {
      tone.stop();
      other.close();
      await engine.close();
    }
    expect(own.connection.restart("v=0")).toBeNull();
  });
});
