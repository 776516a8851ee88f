import { linkTo, parseRoomRef, userIdSchema } from "../../../src/room-admin/room-ref.ts";

test.each([
  ["!abc:voice.test", { kind: "id", value: "!abc:voice.test" }],
  [
    "!74IOCgbyGB4FFtN20OcnYk4xW4kUJaB1Dx35Yd_nXak",
    { kind: "id", value: "!74IOCgbyGB4FFtN20OcnYk4xW4kUJaB1Dx35Yd_nXak" },
  ],
  ["#den:voice.test:8448", { kind: "alias", value: "#den:voice.test:8448" }],
  ["https://matrix.to/#/%23den%3Avoice.test", { kind: "alias", value: "#den:voice.test" }],
  ["https://matrix.to/#/!abc:voice.test?via=voice.test", { kind: "id", value: "!abc:voice.test" }],
  ["den", null],
  ["#den", null],
  ["!a b", null],
  ["!a\u001b[31m", null],
  ["https://matrix.to/#/%", null],
])("%s", (text, expected) => {
  expect(parseRoomRef(text)).toEqual(expected);
});

test("a link leads back to its room", () => {
  expect(parseRoomRef(linkTo("!a/b?c:voice.test", "voice.test"))).toEqual({
    kind: "id",
    value: "!a/b?c:voice.test",
  });
});

test.each(["ada", "@ada", "@a da:voice.test", "@ada:voice test", "ada:voice.test"])(
  "%s is no user id",
  (text) => {
    expect(userIdSchema.safeParse(text).error?.issues[0]?.message).toBe(
      "must be a user id like @ada:example.org",
    );
  },
);
