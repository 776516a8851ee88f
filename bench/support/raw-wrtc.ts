/**
 * The baseline of the second engine: the bare library with none of the bot's code. It takes PCM and encodes for each listener
 * itself, sends reports of its own accord, and decodes what members send. A room's music comes from an ffmpeg of its own.
 */
import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import wrtc from "@roamhq/wrtc";
import { answerCalls } from "./calls.ts";

const FRAME_BYTES = 1920;
const source = new wrtc.nonstandard.RTCAudioSource();
const track = source.createTrack();
const kept: RTCPeerConnection[] = [];

async function answer(_room: string, _member: string, offer: string): Promise<string> {
  const pc = new wrtc.RTCPeerConnection();
  kept.push(pc);
  const sdp = offer.replace(/stereo=1;/, "stereo=1;maxaveragebitrate=128000;");
  await pc.setRemoteDescription({ type: "offer", sdp });
  pc.addTrack(track);
  await pc.setLocalDescription(await pc.createAnswer());
  while (pc.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 2));
  return pc.localDescription?.sdp ?? "";
}

function play(_room: string, file: string): void {
  const args = ["-nostdin", "-loglevel", "error", "-threads", "1", "-i", file, "-f", "s16le", "-ar", "48000"];
  const ffmpeg = spawn("ffmpeg", [...args, "-ac", "2", "pipe:1"], { stdio: ["ignore", "pipe", "ignore"] });
  const samples = new Int16Array(FRAME_BYTES / 2);
  const startMs = performance.now();
  let sent = 0;
  const frame = (): void => {
    while (performance.now() - startMs >= sent * 10) {
      const pcm = ffmpeg.stdout.read(FRAME_BYTES) as Buffer | null;
      if (pcm !== null && pcm.length === FRAME_BYTES) {
        new Uint8Array(samples.buffer).set(pcm);
        const about = { sampleRate: 48_000, bitsPerSample: 16, channelCount: 2, numberOfFrames: 480 };
        source.onData({ samples, ...about });
      }
      sent++;
    }
    // As the bot: two of its 10 ms each 20 ms.
    setTimeout(frame, Math.max(0, (sent + 1) * 10 - (performance.now() - startMs)));
  };
  ffmpeg.stdout.once("readable", frame);
}

try {
  setPriority(-10);
} catch {
  // Nor may the media child, then.
}

answerCalls({ answer, play });
