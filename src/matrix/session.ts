import { z } from "zod";
import { sleep } from "../base/async.ts";
import { BoundedMap } from "../base/collections.ts";
import type { Clock } from "../base/clock.ts";
import { BotError, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Rendered } from "../base/messages/catalogue.ts";
import type { Tally } from "../base/tally.ts";
import { decodeEvent, type RoomEvent } from "./events.ts";
import {
  apiPath,
  backoffMs,
  HomeserverError,
  isTokenRejected,
  retryDelayMs,
  type Homeserver,
} from "./homeserver.ts";
import { Invites } from "./invites.ts";
import { MediaClient } from "./media-client.ts";
import { editContent, fileContent, noticeContent, replyContent, type FileMessage } from "./notices.ts";
import { OutageNews } from "./outage-news.ts";
import { Outbox, type SendOptions } from "./outbox.ts";
import type { RoomState } from "./room.ts";
import { MAX_SYNC_PAUSE_MS, SyncLoop, tokenRejected } from "./sync-loop.ts";
import { SyncRooms, type SessionHandlers, type SyncMode } from "./sync-rooms.ts";
import { makeDataDir, SyncStore } from "./sync-store.ts";

export type { RoomEvent } from "./events.ts";
export type { RoomState } from "./room.ts";
export type { JoinInfo, LeaveReason, SessionHandlers } from "./sync-rooms.ts";

export interface SessionOptions {
  homeserver: Homeserver;
  accessToken: string;
  dataDir: string;
  /** Patterns of user ids; null: everyone of our own homeserver. */
  invitesAllow: readonly string[] | null;
  /** Whether an invitation is taken care of, whoever it is from. */
  takesInvite?: (roomId: string) => boolean;
  /** State event types that `RoomState.stateOf` knows. */
  keptStateTypes: readonly string[];
  handlers: SessionHandlers;
  /** The sync has ended for good: the access token is not accepted any more. */
  onFatal(error: BotError): void;
  clock: Clock;
  log: Log;
  random?: () => number;
  tally?: Tally;
}

export interface Identity {
  userId: string;
  /** null: the token has no device. */
  deviceId: string | null;
  serverName: string;
}

const whoamiSchema = z.object({
  user_id: z.string().regex(/^@[^:]*:.+$/),
  device_id: z.string().optional(),
});

/** The bot's connection to its homeserver: what happens in its rooms, and what it sends there. */
export class MatrixSession {
  readonly outbox: Outbox;
  readonly media: MediaClient;
  readonly #options: SessionOptions;
  readonly #abort = new AbortController();
  /** How many answers an event has had. */
  readonly #replies = new BoundedMap<string, number>(1000);
  #identity: Identity | null = null;
  #rooms: SyncRooms | null = null;
  #loop: SyncLoop | null = null;
  #fatal: BotError | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { homeserver, accessToken, clock, log } = options;
    const isEncrypted = (roomId: string): boolean => this.room(roomId)?.encrypted ?? true;
    this.outbox = new Outbox({
      homeserver,
      clock,
      log,
      isEncrypted,
      onTokenRejected: (error) => this.#end(tokenRejected(error)),
      ...(options.random ? { random: options.random } : {}),
      ...(options.tally ? { tally: options.tally } : {}),
    });
    this.media = new MediaClient({ homeserver, accessToken, clock, signal: this.#abort.signal });
  }

  /** Who we are. @throws BotError `internal` before `connect` */
  get identity(): Identity {
    if (this.#identity === null) throw new BotError("internal", "the session is not connected yet");
    return this.#identity;
  }

  /** In ms: since the homeserver last answered a sync, and since the loop last did anything; null before. */
  get sync(): { ageMs: number | null; turnMs: number | null } {
    return this.#loop?.ages ?? { ageMs: null, turnMs: null };
  }

  /** The rooms that we are in. */
  get rooms(): ReadonlyMap<string, RoomState> {
    return this.#rooms?.rooms ?? new Map();
  }

  room(roomId: string): RoomState | null {
    return this.#rooms?.rooms.get(roomId) ?? null;
  }

  /**
   * Asks the homeserver who we are; waits for one that is not there. `start` does it if nobody did.
   * @throws BotError `forbidden` (the token is refused), `cancelled`
   */
  async connect(): Promise<Identity> {
    if (this.#identity !== null) return this.#identity;
    const { homeserver, clock, log, random } = this.#options;
    const { signal } = this.#abort;
    const news = new OutageNews(clock, log);
    for (let attempt = 1; ; attempt++) {
      try {
        const body = await homeserver.request("GET", "/_matrix/client/v3/account/whoami", { signal });
        const answer = whoamiSchema.safeParse(body);
        if (!answer.success) throw new BotError("homeserver", "the answer is not one of a Matrix homeserver");
        const { user_id: userId, device_id: deviceId } = answer.data;
        news.back();
        const serverName = userId.slice(userId.indexOf(":") + 1);
        this.#identity = { userId, deviceId: deviceId ?? null, serverName };
        return this.#identity;
      } catch (error) {
        if (isTokenRejected(error)) throw tokenRejected(error);
        if (signal.aborted) throw toBotError(error);
        const pauseMs = backoffMs(attempt, 1000, MAX_SYNC_PAUSE_MS, random ?? Math.random);
        const retryInMs = Math.round(retryDelayMs(error, pauseMs));
        news.failed(error, attempt, retryInMs);
        await sleep(clock, retryInMs, signal);
      }
    }
  }

  /**
   * Connects and follows the rooms. Resolves when the first sync is handled: every room was told to the handlers.
   * @throws BotError `forbidden`, `cancelled`; errors of the file system
   */
  async start(): Promise<void> {
    const { homeserver, dataDir, keptStateTypes, handlers, clock, log } = this.#options;
    const { signal } = this.#abort;
    await makeDataDir(dataDir);
    const { userId, serverName } = await this.connect();
    const allow = this.#options.invitesAllow ?? [`*:${serverName}`];
    const { takesInvite } = this.#options;
    const invites = new Invites({
      homeserver,
      clock,
      log,
      allow,
      signal,
      ...(takesInvite && { takesInvite }),
    });
    this.#rooms = new SyncRooms({
      homeserver,
      clock,
      log,
      signal,
      ownUserId: userId,
      keptStateTypes,
      handlers,
      onInvite: (roomId, inviter) => invites.take(roomId, inviter),
      onInviteGone: (roomId) => invites.forget(roomId),
      inviterOf: (roomId) => invites.inviterOf(roomId),
    });
    const store = new SyncStore(dataDir, { homeserverUrl: homeserver.baseUrl, userId }, log);
    const random = this.#options.random ?? Math.random;
    const onSynced = (afterFailure: boolean): void => {
      if (afterFailure) this.outbox.homeserverIsBack();
      handlers.onSynced?.(afterFailure);
    };
    const rooms = this.#rooms;
    this.#loop = new SyncLoop({ homeserver, rooms, store, clock, log, random, signal, onSynced });
    const mode = await this.#runLoop(this.#loop);
    if (mode === "resumed") void invites.takeOld(userId);
  }

  /** Ends the sync at once; what was handled is stored, what is in the outbox is given up (drain it before). */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.outbox.close();
    await this.#running;
    await this.#loop?.settled();
  }

  /**
   * Answers an event with a notice that pings nobody. The first, second, … answer to an event is each sent once, also when
   * the event is handled again after a kill; whoever returns this promise from its handler loses none by a kill.
   */
  reply(roomId: string, toEventId: string, message: Rendered, thread: string | null = null): Promise<string> {
    const content = replyContent(toEventId, message, thread);
    const ordinal = this.#replies.get(toEventId) ?? 0;
    this.#replies.set(toEventId, ordinal + 1);
    return this.#say(roomId, content, { priority: "reply", txnId: `reply ${ordinal} ${toEventId}` });
  }

  /** @param txnId what this notice is, if it may be sent again after a kill; see `SendOptions` */
  notice(roomId: string, message: Rendered, txnId?: string): Promise<string> {
    const what = txnId === undefined ? {} : { txnId };
    return this.#say(roomId, noticeContent(message), { priority: "reply", ...what });
  }

  /** Says that we cannot work in an encrypted room: the only thing that is ever sent there, once a day. */
  clearNotice(roomId: string, message: Rendered): Promise<string> {
    return this.outbox.sendClearNotice(roomId, noticeContent(message));
  }

  /** Posts an uploaded file. @param txnId what it is, see `SendOptions` */
  file(roomId: string, file: FileMessage, txnId: string): Promise<string> {
    return this.#say(roomId, fileContent(file), { priority: "reply", txnId });
  }

  /** Gives an own notice a new text; what is left out for want of budget is no loss. */
  edit(roomId: string, eventId: string, message: Rendered): Promise<string> {
    const options = { priority: "card", coalesceKey: `edit ${eventId}` } as const;
    return this.#say(roomId, editContent(eventId, message), options);
  }

  /** An event of a room by its id; null when there is none that we may see. @throws BotError `homeserver`, `cancelled` */
  async readEvent(roomId: string, eventId: string): Promise<RoomEvent | null> {
    try {
      const body = await this.#options.homeserver.request(
        "GET",
        apiPath`/_matrix/client/v3/rooms/${roomId}/event/${eventId}`,
        { signal: this.#abort.signal },
      );
      return decodeEvent(body, roomId, "state");
    } catch (error) {
      if (error instanceof HomeserverError && !error.retryable) return null;
      throw error;
    }
  }

  /** The content of a state event as it stands; null when there is none that we may see. @throws BotError `homeserver`, `cancelled` */
  async readState(roomId: string, type: string, stateKey: string): Promise<unknown> {
    try {
      const path = apiPath`/_matrix/client/v3/rooms/${roomId}/state/${type}/${stateKey}`;
      return await this.#options.homeserver.request("GET", path, { signal: this.#abort.signal });
    } catch (error) {
      if (error instanceof HomeserverError && !error.retryable) return null;
      throw error;
    }
  }

  #say(roomId: string, content: Readonly<Record<string, unknown>>, options: SendOptions): Promise<string> {
    return this.outbox.send(roomId, { kind: "message", type: "m.room.message", content }, options);
  }

  /** Nothing will work any more: no request is made from here on. */
  #end(error: BotError): void {
    if (this.#fatal !== null) return;
    this.#fatal = error;
    this.outbox.close();
    this.#abort.abort();
    this.#options.onFatal(error);
  }

  /** Runs the loop in the background; resolves after its first response. */
  #runLoop(loop: SyncLoop): Promise<SyncMode> {
    const { promise, resolve, reject } = Promise.withResolvers<SyncMode>();
    let ready = false;
    const onFirst = (mode: SyncMode): void => {
      ready = true;
      resolve(mode);
    };
    const run = async (): Promise<void> => {
      try {
        await loop.run(onFirst);
        reject(this.#fatal ?? new BotError("cancelled", "stopped"));
      } catch (error) {
        if (ready) this.#end(toBotError(error));
        else reject(toBotError(error));
      }
    };
    this.#running = run();
    return promise;
  }
}
