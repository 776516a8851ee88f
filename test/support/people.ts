// The people of tests and of the demo: a small Matrix client on plain fetch that shares nothing with src/,
// so that a mistake there cannot hide here.
import { setTimeout as sleep } from "node:timers/promises";
import { matrixRequest, MatrixRequestError, readAnswer, type Session } from "./matrix-http.ts";
import { eventsOf, type MatrixEvent, type SyncAnswer } from "./sync-answer.ts";

export { matrixRequest, MatrixRequestError, type Session } from "./matrix-http.ts";
export type { MatrixEvent } from "./sync-answer.ts";

export const callStateType = "de.mtorials.test.callstate";

export interface VoiceRoomOptions {
  readonly name?: string;
  readonly invite?: readonly string[];
  /** Power levels by user id, besides the creator's. */
  readonly users?: Readonly<Record<string, number>>;
  /** Power needed for the callstate event. Default 0; 50 makes a room where members cannot join the channel. */
  readonly callStatePower?: number;
  readonly encrypted?: boolean;
  /** Default 12, today's default of Synapse: creators rank above all and are not listed in `users`. */
  readonly roomVersion?: string;
  /** Anybody of the homeserver may join without an invitation. */
  readonly open?: boolean;
}

const keptEvents = 20_000;

/** A person: sends, and follows everything in their rooms from `start` until `stop`. */
export class Person {
  readonly session: Session;
  readonly #abort = new AbortController();
  readonly #events: MatrixEvent[] = [];
  readonly #waiters = new Set<() => void>();
  #dropped = 0;
  #nextTransaction = 0;
  readonly #question = 1 + Math.floor(Math.random() * 1e6);
  #syncing: Promise<void> = Promise.resolve();

  constructor(session: Session) {
    this.session = session;
  }

  /** Resolves after the first sync, so every event sent later will be seen. */
  static async start(session: Session): Promise<Person> {
    const person = new Person(session);
    const since = await person.#sync(null);
    person.#syncing = person.#loop(since);
    return person;
  }

  get userId(): string {
    return this.session.userId;
  }

  /** Ends the sync loop, aborting its request. Can be called again. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#syncing;
  }

  // --- rooms

  async createRoom(options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const answer = (await this.#call("POST", "/v3/createRoom", options)) as { room_id: string };
    return answer.room_id;
  }

  /** A room whose members may join the voice channel: the callstate event needs power 0. */
  async createVoiceRoom(options: VoiceRoomOptions = {}): Promise<string> {
    const encryption = {
      type: "m.room.encryption",
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    };
    const roomVersion = options.roomVersion ?? "12";
    const ranked = Number(roomVersion) >= 12;
    return this.createRoom({
      name: options.name ?? "Voice",
      room_version: roomVersion,
      preset: options.open === true ? "public_chat" : "private_chat",
      invite: options.invite ?? [],
      initial_state: options.encrypted === true ? [encryption] : [],
      power_level_content_override: {
        users: { ...(ranked ? {} : { [this.userId]: 100 }), ...options.users },
        // Synapse merges shallowly: this replaces its whole map, so the defaults are repeated.
        events: {
          "m.room.name": 50,
          "m.room.avatar": 50,
          "m.room.canonical_alias": 50,
          "m.room.power_levels": 100,
          "m.room.history_visibility": 100,
          "m.room.tombstone": ranked ? 150 : 100,
          "m.room.server_acl": 100,
          "m.room.encryption": 100,
          [callStateType]: options.callStatePower ?? 0,
        },
      },
    });
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.#call("POST", `/v3/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: userId });
  }

  async join(roomIdOrAlias: string): Promise<void> {
    await this.#call("POST", `/v3/join/${encodeURIComponent(roomIdOrAlias)}`, {});
  }

  async leave(roomId: string): Promise<void> {
    await this.#call("POST", `/v3/rooms/${encodeURIComponent(roomId)}/leave`, {});
  }

  async kick(roomId: string, userId: string): Promise<void> {
    await this.#call("POST", `/v3/rooms/${encodeURIComponent(roomId)}/kick`, { user_id: userId });
  }

  async ban(roomId: string, userId: string): Promise<void> {
    await this.#call("POST", `/v3/rooms/${encodeURIComponent(roomId)}/ban`, { user_id: userId });
  }

  // --- events

  /** Returns the event id. */
  async send(roomId: string, type: string, content: object): Promise<string> {
    const transaction = `${process.pid}.${Date.now()}.${this.#nextTransaction++}`;
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/${encodeURIComponent(type)}/${transaction}`;
    return eventIdOf(await this.#call("PUT", path, content));
  }

  async sendText(roomId: string, body: string, replyTo?: string): Promise<string> {
    const relation =
      replyTo === undefined ? {} : { "m.relates_to": { "m.in_reply_to": { event_id: replyTo } } };
    return this.send(roomId, "m.room.message", { msgtype: "m.text", body, ...relation });
  }

  async sendState(roomId: string, type: string, stateKey: string, content: object): Promise<string> {
    return eventIdOf(await this.#call("PUT", statePath(roomId, type, stateKey), content));
  }

  /** The content of a state event; null when there is none. */
  async readState(roomId: string, type: string, stateKey = ""): Promise<MatrixEvent["content"] | null> {
    try {
      return (await this.#call("GET", statePath(roomId, type, stateKey))) as MatrixEvent["content"];
    } catch (error) {
      if (error instanceof MatrixRequestError && error.status === 404) return null;
      throw error;
    }
  }

  async react(roomId: string, eventId: string, key: string): Promise<string> {
    const relation = { rel_type: "m.annotation", event_id: eventId, key };
    return this.send(roomId, "m.reaction", { "m.relates_to": relation });
  }

  async redact(roomId: string, eventId: string): Promise<string> {
    const transaction = `${process.pid}.${Date.now()}.${this.#nextTransaction++}`;
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/${transaction}`;
    return eventIdOf(await this.#call("PUT", path, {}));
  }

  // --- media

  /** Returns the mxc URI. */
  async uploadMedia(bytes: Uint8Array<ArrayBuffer>, mimeType: string, name: string): Promise<string> {
    const url = `${this.session.baseUrl}/_matrix/media/v3/upload?filename=${encodeURIComponent(name)}`;
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${this.session.accessToken}`, "content-type": mimeType },
      body: bytes,
      signal: AbortSignal.timeout(60_000),
    });
    return ((await readAnswer(response, "upload")) as { content_uri: string }).content_uri;
  }

  async downloadMedia(mxc: string): Promise<Uint8Array<ArrayBuffer>> {
    const url = `${this.session.baseUrl}/_matrix/client/v1/media/download/${mxc.replace(/^mxc:\/\//, "")}`;
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${this.session.accessToken}` },
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) await readAnswer(response, "download");
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Uploads a file and posts it as m.audio, as a chat client does. With a caption, `body` is the caption. */
  async sendAudio(
    roomId: string,
    bytes: Uint8Array<ArrayBuffer>,
    mimeType: string,
    name: string,
    caption?: string,
  ): Promise<string> {
    return this.send(roomId, "m.room.message", {
      msgtype: "m.audio",
      body: caption ?? name,
      filename: name,
      url: await this.uploadMedia(bytes, mimeType, name),
      info: { mimetype: mimeType, size: bytes.length },
    });
  }

  // --- what was seen

  /** Every event since the start (the first sync included), oldest first; bounded. */
  get events(): readonly MatrixEvent[] {
    return this.#events;
  }

  /** Hand it to a wait as `after` to ignore everything up to now. */
  get position(): number {
    return this.#dropped + this.#events.length;
  }

  /** The first event, seen already or to come within `timeoutMs`, that the predicate takes. */
  async waitForEvent(
    predicate: (event: MatrixEvent) => boolean,
    timeoutMs = 30_000,
    after = 0,
  ): Promise<MatrixEvent> {
    let next = after;
    const look = (): MatrixEvent | null => {
      for (next = Math.max(next, this.#dropped); next < this.position; next++) {
        const event = this.#events[next - this.#dropped];
        if (event !== undefined && predicate(event)) return event;
      }
      return null;
    };
    const known = look();
    if (known) return known;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#abort.signal.removeEventListener("abort", stopped);
        this.#waiters.delete(waiter);
      };
      const fail = (why: string): void => {
        done();
        const last = this.#events.slice(-10).map((event) => `  ${event.sender} ${event.type}`);
        reject(new Error(`${this.userId}: ${why}. The last events seen:\n${last.join("\n")}`));
      };
      const stopped = (): void => fail("stopped while waiting for an event");
      const waiter = (): void => {
        try {
          const found = look();
          if (found === null) return;
          done();
          resolve(found);
        } catch (error) {
          done();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => fail(`no such event within ${timeoutMs} ms`), timeoutMs);
      this.#abort.signal.addEventListener("abort", stopped);
      this.#waiters.add(waiter);
    });
  }

  /** A message of somebody else in the room whose plain text matches. */
  async waitForMessage(roomId: string, body: RegExp, timeoutMs = 30_000, after = 0): Promise<MatrixEvent> {
    return this.waitForEvent(
      (event) =>
        event.roomId === roomId &&
        event.type === "m.room.message" &&
        event.sender !== this.userId &&
        typeof event.content["body"] === "string" &&
        body.test(event.content["body"]),
      timeoutMs,
      after,
    );
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    return matrixRequest(this.session, method, `/_matrix/client${path}`, body);
  }

  async #loop(first: string): Promise<void> {
    let since = first;
    while (!this.#abort.signal.aborted) {
      try {
        since = await this.#sync(since);
      } catch {
        // The homeserver of a test may be down for a while.
        await sleep(200, undefined, { signal: this.#abort.signal }).catch(() => {});
      }
    }
  }

  async #sync(since: string | null): Promise<string> {
    const query = new URLSearchParams({ timeout: since === null ? "0" : "20000" });
    // Synapse gives the same question the same answer for two minutes: a person who starts again must not get it.
    const account = { limit: this.#question };
    const filter = { room: { timeline: { limit: 100 } }, presence: { types: [] }, account_data: account };
    query.set("filter", JSON.stringify(filter));
    if (since !== null) query.set("since", since);
    const answer = (await matrixRequest(
      this.session,
      "GET",
      `/_matrix/client/v3/sync?${query.toString()}`,
      undefined,
      AbortSignal.any([this.#abort.signal, AbortSignal.timeout(60_000)]),
    )) as SyncAnswer;
    this.#events.push(...eventsOf(answer));
    const surplus = this.#events.length - keptEvents;
    if (surplus > 0) {
      this.#events.splice(0, surplus);
      this.#dropped += surplus;
    }
    for (const waiter of this.#waiters) waiter();
    return answer.next_batch;
  }
}

function statePath(roomId: string, type: string, stateKey: string): string {
  const parts = [roomId, "state", type, stateKey].map((part) => encodeURIComponent(part));
  return `/v3/rooms/${parts.join("/")}`;
}

function eventIdOf(answer: unknown): string {
  return (answer as { event_id: string }).event_id;
}
