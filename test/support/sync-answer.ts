// What a homeserver answers to /sync, and the events in it as tests see them.

export interface MatrixEvent {
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly eventId: string;
  readonly stateKey?: string;
  readonly originServerTs: number;
  readonly redacts?: string;
  readonly unsigned: Readonly<Record<string, unknown>>;
}

interface RawEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly event_id?: string;
  readonly state_key?: string;
  readonly origin_server_ts?: number;
  readonly redacts?: string;
  readonly unsigned?: Readonly<Record<string, unknown>>;
}

interface RawEvents {
  readonly events?: readonly RawEvent[];
}

export interface SyncAnswer {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, { readonly state?: RawEvents; readonly timeline?: RawEvents }>>;
    readonly leave?: Readonly<Record<string, { readonly state?: RawEvents; readonly timeline?: RawEvents }>>;
    readonly invite?: Readonly<Record<string, { readonly invite_state?: RawEvents }>>;
  };
}

/** Every event of an answer: invitations last, a room's state before its timeline. */
export function eventsOf(answer: SyncAnswer): readonly MatrixEvent[] {
  const events: MatrixEvent[] = [];
  for (const part of ["join", "leave"] as const) {
    for (const [roomId, room] of Object.entries(answer.rooms?.[part] ?? {})) {
      for (const raw of [...(room.state?.events ?? []), ...(room.timeline?.events ?? [])]) {
        events.push(eventOf(roomId, raw));
      }
    }
  }
  for (const [roomId, room] of Object.entries(answer.rooms?.invite ?? {})) {
    for (const raw of room.invite_state?.events ?? []) events.push(eventOf(roomId, raw));
  }
  return events;
}

function eventOf(roomId: string, raw: RawEvent): MatrixEvent {
  return {
    roomId,
    type: raw.type,
    sender: raw.sender,
    content: raw.content,
    eventId: raw.event_id ?? "",
    originServerTs: raw.origin_server_ts ?? 0,
    unsigned: raw.unsigned ?? {},
    ...(raw.state_key === undefined ? {} : { stateKey: raw.state_key }),
    ...(raw.redacts === undefined ? {} : { redacts: raw.redacts }),
  };
}
