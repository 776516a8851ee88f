// Makes the spoken notices in audio/ that a recording begins with. Only needed to make them anew:
// `node scripts/make-notices.js` (needs ffmpeg and espeak-ng). One for each language that the bot speaks.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OUT = join(dirname(fileURLToPath(import.meta.url)), "..", "audio");
/** As loud as speech in a call. */
const LUFS = -18;
const NOTICES = [
  { language: "en", voice: "en-gb", title: "Recording notice", text: "This channel is being recorded." },
  { language: "de", voice: "de", title: "Aufnahmehinweis", text: "Dieser Kanal wird aufgenommen." },
];

/** The silence around it goes, and a breath of it stays. */
const TRIM =
  "silenceremove=start_periods=1:start_threshold=-50dB,areverse,silenceremove=start_periods=1:start_threshold=-50dB,areverse";
const CLEAN = `${TRIM},aresample=48000,highpass=f=80,adelay=100:all=1,apad=pad_dur=0.15`;

/** EBU R 128 integrated loudness of a file behind a filter, in LUFS. */
function loudness(file, filter) {
  const args = ["-hide_banner", "-nostats", "-i", file, "-af", `${filter},ebur128`, "-f", "null", "-"];
  const { stderr } = spawnSync("ffmpeg", args, { encoding: "utf8" });
  return Number(/I:\s+(-?[\d.]+) LUFS/.exec(stderr.slice(stderr.lastIndexOf("Summary:")))?.[1]);
}

const work = mkdtempSync(join(tmpdir(), "voicebot-notices-"));
try {
  for (const { language, voice, title, text } of NOTICES) {
    const spoken = join(work, `${language}.wav`);
    execFileSync("espeak-ng", ["-v", voice, "-s", "150", "-p", "45", "-w", spoken, text]);
    // Peaks are held down first, so that they do not keep the whole from being loud enough.
    const held = `${CLEAN},acompressor=threshold=-20dB:ratio=3:attack=2:release=60`;
    const gain = LUFS - loudness(spoken, held);
    execFileSync("ffmpeg", [
      ...["-hide_banner", "-loglevel", "error", "-y", "-i", spoken, "-map_metadata", "-1", "-bitexact"],
      ...["-af", `${held},volume=${gain.toFixed(2)}dB,alimiter=limit=0.84:level=false`],
      ...[
        "-ac",
        "1",
        "-ar",
        "48000",
        "-c:a",
        "libopus",
        "-b:a",
        "48k",
        "-metadata",
        `title=${title}`,
        "-metadata",
        "artist=matrix-voice-bot",
      ],
      join(OUT, `recording-notice-${language}.ogg`),
    ]);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
