/** The process of a crowd; started by ../crowd.ts. It ends when its parent does. */
import { callStateType, Person } from "../people.ts";
import { LightMember } from "./light-member.ts";
import type { CrowdCalls } from "./types.ts";

const FRAME_MS = 20;
const MAX_ERRORS = 50;

const members: LightMember[] = [];
const errors: string[] = [];
/** By room, the newest timestamp of the bot's JOINED and the longest time between two. */
const refreshes = new Map<string, { stampMs: number; longestMs: number }>();

function complain(error: unknown): void {
  errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (errors.length > MAX_ERRORS) errors.shift();
}

function member(key: string, roomId: string): LightMember {
  const found = members.find(({ config }) => config.key === key && config.roomId === roomId);
  if (!found) throw new Error(`no ${key} in ${roomId}`);
  return found;
}

async function follow(observer: Person, botKeys: ReadonlySet<string>): Promise<void> {
  for (let position = 0; ; position++) {
    const event = await observer.waitForEvent(() => true, 86_400_000, position);
    if (event.type === callStateType && botKeys.has(event.stateKey ?? "")) {
      const before = refreshes.get(event.roomId);
      const stampMs = Number(event.content["timestamp"]);
      if (event.content["join_state"] !== "JOINED") refreshes.delete(event.roomId);
      else {
        const gapMs = before ? stampMs - before.stampMs : 0;
        refreshes.set(event.roomId, { stampMs, longestMs: Math.max(before?.longestMs ?? 0, gapMs) });
      }
    }
    for (const one of members) one.handle(event);
  }
}

function speak(): void {
  const startMs = performance.now();
  let frames = 0;
  setInterval(() => {
    const due = Math.floor((performance.now() - startMs) / FRAME_MS);
    // After a pause of this process time is given up.
    if (due - frames > 10) frames = due - 1;
    for (; frames < due; frames++) for (const one of members) one.tick();
  }, FRAME_MS);
}

const calls: CrowdCalls = {
  start: async (config) => {
    const botKeys = new Set(config.botKeys);
    const observer = await Person.start(config.observer);
    for (const one of config.members) members.push(new LightMember(one, botKeys, complain));
    void follow(observer, botKeys).catch(complain);
    speak();
  },
  join: async (key, roomId) => member(key, roomId).join(),
  leave: async (key, roomId) => member(key, roomId).leave(),
  state: async () => ({
    members: members.map((one) => one.state()),
    longestRefreshMs: Object.fromEntries(
      [...refreshes].map(([roomId, { longestMs }]) => [roomId, longestMs]),
    ),
    errors,
  }),
  mark: async () => {
    for (const one of members) one.mark();
  },
};

type Request = { id: number; method: keyof CrowdCalls; args: readonly unknown[] };

async function answer({ id, method, args }: Request): Promise<object> {
  try {
    const call = calls[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return { id, ok: true, value: await call(...args) };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on("message", (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});
