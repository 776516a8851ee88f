import { render, type Sentence } from "../../../src/base/messages/catalogue.ts";
import { Members } from "../../../src/matrix/members.ts";

const told = (name: string): { text: string; html: string } =>
  render({ key: "consent.joined", params: { name, prefix: "!" } }, "en");
const plain = told("X");

describe("names of strangers in what the bot says", () => {
  test("HTML is text, and a parameter fills nothing else", () => {
    expect(told(`<img src=x onerror="alert(1)">&'`).html).toContain(
      "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;",
    );
    expect(told("{name} **b** `c`").html).toContain("{name} **b** `c`");
    expect(told("$& $1 $$").text).toContain("$& $1 $$");
  });

  test.each([
    ["bidirectional overrides", "a\u202eb\u2066c\u2069\u200f\u061c"],
    ["controls", "a\u0000b\u0007\u001bc\u007f\u0085\u009b"],
    ["what is not seen", "a\u200bb\u2060c\ufeff\u00ad\u180e"],
    ["line ends of every kind", "a\nb\r\nc\u2028\u2029"],
    ["halves of characters", "a\ud800b\udc00c"],
  ])("%s leave one line as it reads", (_, name) => {
    const { text, html } = told(name);
    expect(text.replaceAll(" ", "")).toBe(plain.text.replace("X", "abc").replaceAll(" ", ""));
    expect(html).not.toMatch(/<br>/);
    expect(text.isWellFormed() && html.isWellFormed()).toBe(true);
  });

  test("emoji, joiners and letters of any language stay", () => {
    const name = "👩‍👩‍👧 می‌خواهم Ünï 日本";
    expect(told(name).text).toContain(name);
  });

  test("lists keep their lines", () => {
    const { html } = render({ key: "help.list", params: { list: "a\nb" } });
    expect(html).toContain("a<br>b");
  });
});

test("what somebody looked for is repeated as far as it takes to know it again", () => {
  const { text, html } = render({ key: "play.not_found", params: { query: "y".repeat(1_000) } });
  expect(text).toBe(`I found nothing called ${"y".repeat(80)}… in the media folder.`);
  expect(html).toBe(text);
});

describe("display names", () => {
  const members = (...names: unknown[]): Members => {
    const made = new Members();
    for (const [index, displayname] of names.entries())
      made.set(`@p${index}:hs`, { membership: "join", displayname });
    return made;
  };

  test("are one line, without what is not seen, and not longer than names are", () => {
    expect(members("A\n\nBot: \u202eall is well").displayName("@p0:hs")).toBe("A Bot: all is well");
    expect(members("x".repeat(900)).displayName("@p0:hs").length).toBeLessThanOrEqual(100);
    expect(members("\u200b\u2060 \n").displayName("@p0:hs")).toBe("@p0:hs");
    expect(
      members(`${"x".repeat(99)}😀😀`)
        .displayName("@p0:hs")
        .isWellFormed(),
    ).toBe(true);
    for (const wrong of [5, null, {}, ["a"]]) expect(members(wrong).displayName("@p0:hs")).toBe("@p0:hs");
  });

  test("that only look different are told apart by user id", () => {
    const room = members("Ann", "Ann\u200b", " Ann");
    for (const id of ["@p0:hs", "@p1:hs", "@p2:hs"]) expect(room.displayName(id)).toBe(`Ann (${id})`);
  });
});

test("sentences in a sentence are in its language, each a line, and escaped like all else", () => {
  const part = (scheme: string): Sentence => ({ key: "playlist.why_scheme", params: { scheme } });
  const sentence: Sentence = {
    key: "playlist.nothing",
    params: { title: "<x>" },
    parts: { names: [part("file"), part("<b>")] },
  };
  expect(render(sentence, "de")).toEqual({
    text: "Nichts aus <x> ließ sich verwenden:\nAdressen mit file öffne ich nicht\nAdressen mit <b> öffne ich nicht",
    html: "Nichts aus <strong>&lt;x&gt;</strong> ließ sich verwenden:<br>Adressen mit file öffne ich nicht<br>Adressen mit &lt;b&gt; öffne ich nicht",
  });
});
