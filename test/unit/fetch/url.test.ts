import { expect, test } from "@jest/globals";
import { BotError } from "../../../src/base/errors.ts";
import { looksLikeUrl, parseFetchUrl, urlForLog } from "../../../src/fetch/url.ts";

const reasonOf = (text: string, allowHttp = false): string => {
  try {
    parseFetchUrl(text, { allowHttp });
    return "taken";
  } catch (error) {
    expect(error).toBeInstanceOf(BotError);
    expect((error as BotError).code).toBe("fetch_refused");
    return (error as BotError).say.key;
  }
};

test.each([
  ["https://example.org/a.mp3", "taken"],
  ["https://example.org:8443/a.mp3?key=1#part", "taken"],
  ["https://example.org:443/", "taken"],
  ["http://example.org/a.mp3", "fetch.http"],
  ["ftp://example.org/a.mp3", "fetch.scheme"],
  ["file:///etc/passwd", "fetch.scheme"],
  ["file://host/etc/passwd", "fetch.scheme"],
  ["data:audio/mpeg;base64,AAAA", "fetch.scheme"],
  ["javascript:alert(1)", "fetch.scheme"],
  ["https://user@example.org/", "fetch.credentials"],
  ["https://user:secret@example.org/", "fetch.credentials"],
  ["https://:secret@example.org/", "fetch.credentials"],
  ["https://example.org:22/", "fetch.port"],
  ["https://example.org:25/", "fetch.port"],
  ["https://", "fetch.bad_url"],
  [`https://example.org/${"a".repeat(3000)}`, "fetch.bad_url"],
  ["x; rm -rf /", "fetch.bad_url"],
])("%p: %s", (text, reason) => {
  expect(reasonOf(text)).toBe(reason);
});

test("http where the operator allows it", () => {
  expect(reasonOf("http://example.org/a.mp3", true)).toBe("taken");
  expect(reasonOf("ftp://example.org/a.mp3", true)).toBe("fetch.scheme");
});

test("an address is seen through however it is written", () => {
  for (const text of ["https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/"])
    expect(parseFetchUrl(text, { allowHttp: false }).hostname).toBe("127.0.0.1");
});

test("a log has neither query nor fragment nor credentials", () => {
  expect(urlForLog("https://u:p@example.org:8443/a/b.mp3?token=secret#x")).toBe(
    "https://example.org:8443/a/b.mp3",
  );
  expect(urlForLog("secret words")).toBe("no URL");
});

test("names of tracks are no URLs", () => {
  expect(looksLikeUrl("https://example.org/a")).toBe(true);
  expect(looksLikeUrl("ftp://example.org/a")).toBe(true);
  for (const text of ["AC/DC: live", "who? https://example.org is it", "https:// x", "a://"])
    expect(looksLikeUrl(text)).toBe(false);
});
