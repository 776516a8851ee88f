import { BotError } from "../../src/base/errors.ts";
import { MEMBERSHIP_TYPE, SIGNAL_TYPE } from "../../src/channel/ports.ts";
import type { ChannelRoomEvent, ChannelTransport } from "../../src/channel/ports.ts";
import type { FakeClock } from "./clock.ts";

export interface RoomMember {
  handle(event: ChannelRoomEvent): void;
}

export interface FakeRoomOptions {
  clock: FakeClock;
  /** Time a write takes to the homeserver and back; default 10 ms. */
  writeMs?: () => number;
  /** Time from the write until a member's sync brings it; default 30 ms. Events to one member keep their order. */
  syncMs?: () => number;
  /** How often one event is brought to one member; default once. */
  copies?: () => number;
  /** Whether the rate limit of who writes leaves something over; default yes. */
  spare?: () => boolean;
  /** Let events overtake each other on the way to a member. */
  unordered?: boolean;
}

/** A room of one homeserver in memory: state by (type, key), a timeline, and members whose sync takes a while. */
export class FakeRoom {
  /** Every event so far, in order. */
  readonly events: ChannelRoomEvent[] = [];
  readonly #options: FakeRoomOptions;
  readonly #members = new Map<RoomMember, number>();
  readonly #state = new Map<string, ChannelRoomEvent>();
  readonly #refusals: { sender: string; error: BotError }[] = [];
  #nextId = 0;

  constructor(options: FakeRoomOptions) {
    this.#options = options;
  }

  /** Brings a member the room's state as a snapshot, and from now on its timeline. @returns how to end that. */
  sync(member: RoomMember): () => void {
    const now = this.#options.clock.wall();
    for (const event of this.#state.values()) {
      member.handle({ ...event, origin: "state", ageMs: now - event.originServerTs });
    }
    this.#members.set(member, 0);
    return () => void this.#members.delete(member);
  }

  /**
   * What Synapse does with a sync in which the graph forked, or after a gap: the room's state once more as a snapshot, in it
   * events that are older than what was told already, oldest last.
   */
  snapshot(member: RoomMember): void {
    if (!this.#members.has(member)) return;
    const now = this.#options.clock.wall();
    const states = this.events.filter((event) => event.stateKey !== null).slice(-20);
    for (const event of states.toReversed()) {
      member.handle({ ...event, origin: "state", ageMs: now - event.originServerTs });
    }
  }

  /** How `userId` writes to the room. */
  transport(userId: string): ChannelTransport {
    return {
      spare: () => this.#options.spare?.() ?? true,
      putMembership: (key, content) => this.#write(userId, MEMBERSHIP_TYPE, key, content),
      sendSignal: (content, _, signal) => this.#write(userId, SIGNAL_TYPE, null, content, signal),
    };
  }

  /** The next write of `sender` is refused. */
  refuse(sender: string, error: BotError): void {
    this.#refusals.push({ sender, error });
  }

  /** Nothing is refused any more. */
  forgive(): void {
    this.#refusals.length = 0;
  }

  /** Something somebody sends, at once. @returns its event id. */
  send(
    sender: string,
    content: unknown,
    stateKey: string | null = null,
    rest: Partial<ChannelRoomEvent> = {},
  ): string {
    const event: ChannelRoomEvent = {
      eventId: `$event${this.#nextId++}`,
      type: stateKey === null ? SIGNAL_TYPE : MEMBERSHIP_TYPE,
      sender,
      stateKey,
      originServerTs: this.#options.clock.wall(),
      ageMs: 0,
      content,
      origin: "live",
      ...rest,
    };
    this.events.push(event);
    if (event.stateKey !== null) this.#state.set(`${event.type} ${event.stateKey}`, event);
    for (const member of this.#members.keys()) this.#bring(member, event);
    return event.eventId;
  }

  /** Contents of the signalling of one kind that `sender` sent, in order. */
  signals(sender: string, rtcType?: string): Record<string, unknown>[] {
    return this.events
      .filter((event) => event.type === SIGNAL_TYPE && event.sender === sender)
      .map((event) => event.content as Record<string, unknown>)
      .filter((content) => rtcType === undefined || content["rtc_type"] === rtcType);
  }

  /** What `sender` wrote under `key`: JOINED and LEFT, in order. */
  memberships(sender: string, key: string): unknown[] {
    return this.events
      .filter((event) => event.sender === sender && event.stateKey === key)
      .map((event) => (event.content as Record<string, unknown>)["join_state"]);
  }

  async #write(
    sender: string,
    type: string,
    stateKey: string | null,
    content: object,
    signal?: AbortSignal,
  ): Promise<string> {
    const { clock, writeMs } = this.#options;
    const halfMs = (writeMs?.() ?? 10) / 2;
    await new Promise<void>((resolve) => clock.timer(halfMs, resolve));
    if (signal?.aborted) throw new BotError("cancelled", "taken back");
    const refusal = this.#refusals.findIndex((entry) => entry.sender === sender);
    const error = refusal < 0 ? null : this.#refusals.splice(refusal, 1)[0]?.error;
    if (error) throw error;
    const eventId = this.send(sender, structuredClone(content), stateKey, { type });
    await new Promise<void>((resolve) => clock.timer(halfMs, resolve));
    return eventId;
  }

  #bring(member: RoomMember, event: ChannelRoomEvent): void {
    const { clock, syncMs, copies, unordered } = this.#options;
    for (let copy = copies?.() ?? 1; copy > 0; copy--) {
      let dueMs = clock.now() + (syncMs?.() ?? 30);
      if (unordered !== true) {
        dueMs = Math.max(dueMs, this.#members.get(member) ?? 0);
        this.#members.set(member, dueMs);
      }
      clock.timer(dueMs - clock.now(), () => {
        if (!this.#members.has(member)) return;
        member.handle({ ...event, ageMs: clock.wall() - event.originServerTs });
      });
    }
  }
}
