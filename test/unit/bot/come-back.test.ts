import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { comeBack } from "../../../src/bot/come-back.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";

const limited = new BotError("timeout", "a refresh event waited for too long");
const forbidden = new BotError("forbidden", "no power");

function set(outcomes: (BotError | null)[]): {
  clock: FakeClock;
  seen: string[];
  abort: AbortController;
  done: Promise<void>;
} {
  const clock = new FakeClock();
  const abort = new AbortController();
  const seen: string[] = [];
  const done = comeBack({
    join: async () => {
      seen.push("join");
      const error = outcomes.shift();
      if (error) throw error;
    },
    onIn: (late) => void seen.push(late ? "in, late" : "in"),
    onDelayed: () => void seen.push("delayed"),
    onRefused: () => void seen.push("refused"),
    clock,
    log: silentLog,
    signal: abort.signal,
  });
  return { clock, seen, abort, done };
}

test("a start in the middle of a limit is not the end: the bot is back when it may", async () => {
  const { clock, seen, done } = set([limited, limited, null]);
  await done;
  expect(seen).toEqual(["join", "delayed"]);
  await clock.advance(60_000);
  expect(seen).toEqual(["join", "delayed", "join", "join", "in, late"]);
  expect(clock.pending).toBe(0);
});

test("what does not pass ends it", async () => {
  const { clock, seen, done } = set([limited, forbidden]);
  await done;
  await clock.advance(60_000);
  expect(seen).toEqual(["join", "delayed", "join", "refused"]);
  expect(clock.pending).toBe(0);
});

test("whoever decides otherwise meanwhile is obeyed", async () => {
  const { clock, seen, abort, done } = set([limited, null]);
  await done;
  abort.abort();
  await settle();
  await clock.advance(60_000);
  expect(seen).toEqual(["join", "delayed"]);
  expect(clock.pending).toBe(0);
});
