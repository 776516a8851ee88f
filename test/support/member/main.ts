/** The process of a headless member; started by ../member.ts. It ends when its parent does. */
import { ChannelMember } from "./channel.ts";
import { ReadmeMember } from "../readme-member.ts";
import type { MemberCalls, Reply, Request } from "./types.ts";

let channel: ChannelMember | ReadmeMember | null = null;

function member(): ChannelMember | ReadmeMember {
  if (!channel) throw new Error("not started");
  return channel;
}

const calls: MemberCalls = {
  start: async (config) => {
    channel = await (config.dialect === "readme" ? ReadmeMember : ChannelMember).start(config);
  },
  join: async () => member().join(),
  leave: async () => member().leave(),
  speak: async (utterance) => member().voice.speak(utterance),
  silence: async () => member().voice.silence(),
  sent: async (sinceMs) => member().voice.sent(sinceMs),
  state: async () => member().state(),
  stats: async (key) => member().stats(key),
  firstAudio: async (key, sinceMs, thresholdDb) => member().hearing(key).firstAudioMs(sinceMs, thresholdDb),
  heard: async (key, sinceMs) => member().hearing(key).pcm(sinceMs),
};

async function answer({ id, method, args }: Request): Promise<Reply> {
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
// Interrupted at a terminal, the whole group is; whoever drives us decides when we end.
process.on("SIGINT", () => {});
