import type { Clock } from "../base/clock.ts";
import { Emitter } from "../base/emitter.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Language, Sentence } from "../base/messages/catalogue.ts";
import type { Filters, TrackSource } from "../media/plane.ts";
import { Adding, type Added, type AddedMany } from "./adding.ts";
import { Editing } from "./editing.ts";
import { nothingPlaying, refusalIn } from "./failure.ts";
import { Heard } from "./heard.ts";
import { Mishaps } from "./mishaps.ts";
import { openTwice } from "./open-twice.ts";
import { PlaneNews } from "./plane-news.ts";
import { Progress } from "./progress.ts";
import { emptyQueue, NO_RULES, playName, reduceQueue } from "./queue.ts";
import type {
  NowPlaying,
  QueueEffect,
  QueueEvent,
  QueueRules,
  QueueState,
  StoredSource,
  Track,
} from "./queue.ts";
import type { Found } from "./resolver/resolver.ts";
import { loadQueue, savePosition, saveQueue, type PlayerDocuments } from "./saved.ts";
import { SavedLists } from "./saved-lists.ts";
import { Sound, type PlayerPlane, type SoundDeps } from "./sound.ts";
import { SoundGuard } from "./sound-guard.ts";
import { Starting } from "./starting.ts";

export interface RoomPlayerDeps extends Pick<SoundDeps, "standBy" | "isHere"> {
  /** The media plane's name of the room's channel. */
  channel: string;
  plane: PlayerPlane;
  /** What the plane plays of a source (Sources.open). */
  open: (source: StoredSource, signal: AbortSignal) => Promise<TrackSource>;
  /** The store's documents of the room. */
  documents: PlayerDocuments;
  clock: Clock;
  log: Log;
  /** Says something in the room that nobody asked for. Must not throw. */
  tell: (sentence: Sentence) => void;
  /** Of the room; default English. */
  language?: () => Language;
  /** What the room has set about its queue; default nothing. */
  rules?: () => QueueRules;
  /** Called when the rules are others. */
  onRules?: (listener: () => void) => () => void;
  /** Of commands, as people are told to type them. */
  prefix?: string;
  /** Members who have a connection now: where there are none nobody misses any sound. Default nobody. */
  connected?: () => number;
  /** Somebody is on the way to hear it, and nobody does yet. Default nobody. */
  awaited?: () => boolean;
}

/** How long `add` waits for the first sound before it answers without knowing more. */
const START_MS = 3_000;

/** The queue of one room and what sounds of it. Lives as long as the room; the channel may come and go. */
export class RoomPlayer {
  /** What people change about the queue, beyond adding and skipping. */
  readonly edit: Editing;
  readonly lists: SavedLists;
  readonly #deps: RoomPlayerDeps;
  readonly #sound: Sound;
  readonly #guard: SoundGuard;
  readonly #mishaps: Mishaps;
  readonly #news: PlaneNews;
  readonly #idle = new Emitter<void>();
  readonly #changed = new Emitter<QueueState>();
  readonly #closing = new AbortController();
  readonly #starting: Starting;
  readonly #adding: Adding;
  readonly #unsubscribe: (() => void)[];
  #state: QueueState = emptyQueue;
  readonly #progress = new Progress();
  readonly #heard = new Heard();

  constructor(deps: RoomPlayerDeps) {
    this.#deps = deps;
    const { plane, channel, clock } = deps;
    const open: RoomPlayerDeps["open"] = (source, signal) => this.#open(source, signal);
    this.#starting = new Starting(clock, START_MS);
    this.lists = new SavedLists(deps);
    this.#adding = new Adding({
      ...{ plane, open, starting: this.#starting, signal: this.#closing.signal },
      state: () => this.#state,
      rules: () => this.#rules(),
      change: (event) => this.#change(event),
    });
    this.edit = new Editing({
      state: () => this.#state,
      change: (event, nothing) => this.#change(event, nothing),
      isFair: () => this.#rules().fair,
      positionMs: () => this.#progress.positionMs(this.#state, clock.now()),
    });
    this.#sound = new Sound({
      ...{ plane, channel, clock, open, isHere: deps.isHere, standBy: deps.standBy },
      wanted: () => {
        const { now, volume, filters } = this.#state;
        return { now, play: playName(this.#state), volume, filters, next: this.#progress.next(this.#state) };
      },
      onFailed: (id, error) => this.#mishaps.failed(id, error),
      awaited: deps.awaited ?? ((): boolean => false),
      onStranded: () => void this.#dispatch({ kind: "pause" }),
      onOpened: (play) => this.#guard.opened(play),
      onUnanswered: (play) => this.#guard.stalled(play, "unanswered"),
    });
    this.#guard = new SoundGuard({
      ...{ plane, channel, clock, log: deps.log, state: () => this.#state },
      connected: deps.connected ?? ((): number => 0),
      onVerdict: (verdict) => this.#mishaps.stalled(verdict),
    });
    this.#mishaps = new Mishaps({
      ...{ clock, log: deps.log, starting: this.#starting, prefix: deps.prefix ?? "!" },
      signal: this.#closing.signal,
      ...{ state: () => this.#state, dispatch: (event) => this.#dispatch(event) },
      ...{ onEnded: (play) => this.#sound.ended(play), tell: (sentence) => deps.tell(sentence) },
      language: () => deps.language?.() ?? "en",
    });
    this.#news = new PlaneNews({
      ...{ channel, clock, log: deps.log, documents: deps.documents, starting: this.#starting },
      ...{ state: () => this.#state, dispatch: (event) => this.#dispatch(event), progress: this.#progress },
      ...{ sound: this.#sound, guard: this.#guard, mishaps: this.#mishaps },
    });
    this.#unsubscribe = [
      plane.onEvent((event) => this.#news.take(event)),
      deps.onRules?.(() => this.#rules().fair && this.#dispatch({ kind: "arrange" })) ?? ((): void => {}),
      plane.onState((state) => {
        if (state !== "closed") this.#news.lost();
      }),
    ];
  }

  /** Brings back the queue of the last run, what was on held where it was, for `resume`. @returns whether it was interrupted */
  restore(): boolean {
    const { state: loaded, isDamaged } = loadQueue(this.#deps.documents);
    if (isDamaged) this.#deps.tell({ key: "player.damaged" });
    this.#setState({ ...loaded, now: loaded.now && { ...loaded.now, phase: "paused" } });
    return loaded.now?.phase === "playing";
  }

  /** The channel was opened (again) in the media plane: what should sound is started in it, without waiting. */
  channelOpened(): void {
    this.#sound.hurry();
  }

  /** The channel was closed in the media plane, and with it whatever sounded. */
  channelClosed(): void {
    this.#news.lost();
  }

  /** See `Adding.one`. @param next before what waits */
  add(found: Found, requester: string, { next = false } = {}): Promise<Added> {
    return this.#adding.one(found, requester, next);
  }

  /** See `Adding.many`. */
  async addMany(found: readonly Found[], requester: string, { next = false } = {}): Promise<AddedMany> {
    return this.#adding.many(found, requester, next);
  }

  /**
   * @param sentMsAgo how long ago the person said it: the track that was on then is meant.
   * @param count what is on, and the first that wait
   * @param id of the track that is meant, if it is known
   */
  skip(sentMsAgo = 0, count = 1, id: string | null = this.meant(sentMsAgo)): Track {
    const nowMs = this.#deps.clock.now();
    const effects = this.#dispatch({ kind: "skip", meant: id, nowMs, count });
    const skipped = effects.find((effect) => effect.kind === "skipped");
    if (skipped) return skipped.track;
    if (effects.some((effect) => effect.kind === "already-skipped")) {
      throw new BotError("nothing_playing", "already skipped", { say: { key: "player.already_skipped" } });
    }
    throw nothingPlaying();
  }

  /** Id of the track that was on so long ago; null when none was, or it is not known any more. */
  meant(sentMsAgo: number): string | null {
    return this.#heard.at(this.#deps.clock.now() - sentMsAgo);
  }

  /** Ends what is on and empties the queue. @throws BotError `nothing_playing` */
  stop(): void {
    this.#change({ kind: "stop" });
  }

  pause(): NowPlaying {
    this.#change({ kind: "pause" });
    return this.#mustBeOn();
  }

  /** Goes on with what is held, or with what waits. */
  resume(): NowPlaying {
    this.#change({ kind: "resume" });
    return this.#mustBeOn();
  }

  /** Percent, 0 to 200. */
  setVolume(percent: number): void {
    this.#dispatch({ kind: "volume", percent: Math.min(200, Math.max(0, percent)) });
  }

  volume(): number {
    return this.#state.volume;
  }

  setFilters(filters: Filters): void {
    this.#dispatch({ kind: "filters", filters });
  }

  nowPlaying(): NowPlaying | null {
    return this.#state.now;
  }

  queue(): readonly Track[] {
    return this.#state.upcoming;
  }

  /** Everything of the queue. */
  state(): QueueState {
    return this.#state;
  }

  /** Nothing is on any more. */
  onIdle(listener: () => void): () => void {
    return this.#idle.on(listener);
  }

  onChange(listener: (state: QueueState) => void): () => void {
    return this.#changed.on(listener);
  }

  /** Keeps everything for the next run. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    const { now } = this.#state;
    const positionMs = this.#progress.positionMs(this.#state, this.#deps.clock.now());
    savePosition(this.#deps.documents, now && { ...now, positionMs });
    this.#closing.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#guard.close();
    this.#sound.close();
    this.#starting.fail(new BotError("cancelled", "closed"));
    this.#idle.clear();
    this.#changed.clear();
  }

  async #open(source: StoredSource, signal: AbortSignal): Promise<TrackSource> {
    const { clock, open } = this.#deps;
    const opened = await openTwice(() => open(source, signal), { clock, signal });
    if (source.kind === "url" && "stream" in opened) {
      const { url, kind: format } = opened.stream;
      this.#dispatch({ kind: "streams", url: source.url, source: { kind: "stream", url, format } });
    }
    return opened;
  }

  #dispatch(event: QueueEvent): readonly QueueEffect[] {
    if (this.#closing.signal.aborted) return [];
    const { state, effects } = reduceQueue(this.#state, event);
    this.#setState(state);
    for (const effect of effects) {
      // What comes next may be another one.
      if (effect.kind === "sound" || effect.kind === "save") this.#sound.reconcile();
      if (effect.kind === "save") saveQueue(this.#deps.documents, this.#state);
      else if (effect.kind === "idle") this.#idle.emit();
    }
    if (effects.some(({ kind }) => kind === "save")) this.#changed.emit(this.#state);
    return effects;
  }

  #setState(state: QueueState): void {
    const id = state.now?.track.id ?? null;
    if (id !== (this.#state.now?.track.id ?? null)) this.#heard.note(id, this.#deps.clock.now());
    this.#state = state;
    this.#guard.changed();
  }

  #rules(): QueueRules {
    return this.#deps.rules?.() ?? NO_RULES;
  }

  /** @throws BotError what was refused; `nothing`: how it is said that there is nothing of it */
  #change(event: QueueEvent, nothing?: Sentence): readonly QueueEffect[] {
    const about = { state: this.#state, rules: this.#rules(), ...(nothing && { nothing }) };
    const effects = this.#dispatch(event);
    const refused = refusalIn(effects, about);
    if (refused) throw refused;
    return effects;
  }

  #mustBeOn(): NowPlaying {
    if (!this.#state.now) throw nothingPlaying();
    return this.#state.now;
  }
}
