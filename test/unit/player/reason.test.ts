import { render } from "../../../src/base/messages/catalogue.ts";
import { reasonOf } from "../../../src/player/reason.ts";

test.each([
  [
    "it ends after 0.9 s of 2.0 s: png is not a kind of sound that is played",
    "it breaks off after 0.9 of 2.0 s",
  ],
  ["moov atom not found", "it is not whole: the index at its end is missing"],
  ["Invalid data found when processing input", "it is damaged, or no audio file"],
  [
    "Error while decoding stream #0:0: Invalid data found when processing input",
    "it is damaged, or no audio file",
  ],
  ["hls is not a format that is played", "hls is not a kind of sound that I play"],
  ["png is not a kind of sound that is played", "png is not a kind of sound that I play"],
  ["no data for 10 s", "nothing more came of it for 10 s"],
  ["there is no sound in it", "there is no sound in it"],
  ["Stream map '0:a:0' matches no streams.", "there is no sound in it"],
  ["[x @ 0x55d] something new about /home/user/music/a.mp3", "something new about"],
])("of %j people hear %j", (detail, text) => {
  expect(render(reasonOf(detail), "en").text).toBe(text);
  expect(render(reasonOf(detail), "de").text).not.toMatch(/\{|\/home/);
});
