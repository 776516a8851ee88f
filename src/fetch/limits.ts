import { Allowance } from "../base/allowance.ts";
import { BoundedMap } from "../base/collections.ts";
import { BotError } from "../base/errors.ts";

/** For whom something is fetched; null where nobody asked just now (the queue goes on), or everywhere. */
export interface Asker {
  room: string | null;
  sender: string | null;
}

interface Bounds {
  /** Fetches: so many at once, then so many a minute. */
  burst: number;
  aMinute: number;
  /** Bytes: so many at once, then so many an hour. What is fetched counts when it is there, so that one may be too many. */
  burstBytes: number;
  hourBytes: number;
}

const BOT: Bounds = { burst: 120, aMinute: 60, burstBytes: 20e9, hourBytes: 20e9 };
const ROOM: Bounds = { burst: 60, aMinute: 10, burstBytes: 4e9, hourBytes: 2e9 };
/** One person takes no more than half of what their room may. */
const SENDER: Bounds = { burst: 12, aMinute: 4, burstBytes: 2e9, hourBytes: 1e9 };
/** Downloads at the same time. */
const AT_ONCE = 16;
const AT_ONCE_IN_A_ROOM = 3;
/** Whoever has slow servers at hand must not hold up what is to play next. */
const AT_ONCE_OF_ONE = 2;
const MAX_WAITING = 100;
const REMEMBERED = 2_000;

interface Account {
  readonly fetches: Allowance;
  readonly bytes: Allowance;
}

/** How much of the network one person, one room and all together may have the bot take. Times are passed in. */
export class FetchLimits {
  readonly #bot = account(BOT);
  readonly #rooms = new BoundedMap<string, Account>(REMEMBERED);
  readonly #senders = new BoundedMap<string, Account>(REMEMBERED);
  readonly #running: Asker[] = [];
  readonly #waiting: { asker: Asker; go: () => void }[] = [];

  /** Counts one fetch. @throws BotError `rate_limited` when there were too many, or too much came of them */
  take(asker: Asker, nowMs: number): void {
    const accounts = this.#accounts(asker);
    // A byte is asked for, so that whoever is in debt waits; the rest follows by `spend`.
    const isFree = accounts.every(({ bytes }) => bytes.take(nowMs)) && this.#count(accounts, nowMs);
    if (!isFree) throw new BotError("rate_limited", "too many fetches", { say: { key: "fetch.too_many" } });
  }

  /** So many bytes came of it. */
  spend(asker: Asker, bytes: number, nowMs: number): void {
    for (const { bytes: left } of this.#accounts(asker)) left.spend(nowMs, bytes);
  }

  /**
   * Resolves when it is this one's turn, with how to give it back. @throws BotError `rate_limited` when too many wait,
   * `cancelled`
   */
  async enter(asker: Asker, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new BotError("cancelled", "cancelled");
    if (!this.#hasRoom(asker)) await this.#wait(asker, signal);
    else this.#running.push(asker);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#running.splice(this.#running.indexOf(asker), 1);
      this.#next();
    };
  }

  #count(accounts: readonly Account[], nowMs: number): boolean {
    return accounts.every(({ fetches }) => fetches.take(nowMs));
  }

  async #wait(asker: Asker, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) {
      throw new BotError("rate_limited", "too many downloads wait", { say: { key: "fetch.busy" } });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { asker, go: resolve };
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(new BotError("cancelled", "cancelled"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(waiting);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The first of those that wait for whom there is room. */
  #next(): void {
    const index = this.#waiting.findIndex(({ asker }) => this.#hasRoom(asker));
    const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (!next) return;
    this.#running.push(next.asker);
    next.go();
  }

  #hasRoom({ room, sender }: Asker): boolean {
    const inRoom = this.#running.filter((asker) => asker.room === room).length;
    const ofSender = this.#running.filter((asker) => asker.sender === sender).length;
    if (room !== null && inRoom >= AT_ONCE_IN_A_ROOM) return false;
    return this.#running.length < AT_ONCE && (sender === null || ofSender < AT_ONCE_OF_ONE);
  }

  #accounts({ room, sender }: Asker): Account[] {
    return [
      ...(sender === null ? [] : [known(this.#senders, sender, SENDER)]),
      ...(room === null ? [] : [known(this.#rooms, room, ROOM)]),
      this.#bot,
    ];
  }
}

function known(accounts: BoundedMap<string, Account>, key: string, bounds: Bounds): Account {
  const one = accounts.get(key) ?? account(bounds);
  accounts.set(key, one);
  return one;
}

function account({ burst, aMinute, burstBytes, hourBytes }: Bounds): Account {
  return {
    fetches: new Allowance(aMinute / 60, burst),
    bytes: new Allowance(hourBytes / 3600, burstBytes),
  };
}
