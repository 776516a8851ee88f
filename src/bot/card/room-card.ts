import type { Clock, Timer } from "../../base/clock.ts";
import { toBotError, type BotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { render, type Language, type Sentence } from "../../base/messages/catalogue.ts";
import type { SkipVotes } from "../../commands/skip-votes.ts";
import type { MatrixSession, RoomEvent, RoomState } from "../../matrix/session.ts";
import type { RoomCovers } from "../../player/cover/room-covers.ts";
import { Heard } from "../../player/heard.ts";
import type { RoomPlayer } from "../../player/playback.ts";
import type { RoomSettings } from "../../settings/room-settings.ts";
import type { RoomDocuments } from "../../store/store.ts";
import { answerBeside } from "./answers.ts";
import { loadCard, saveCard } from "./kept.ts";
import { isOutOfSight, nextStep, written, type CardState, type CardStep, type Standing } from "./plan.ts";
import { cardView, following, type CardView } from "./view.ts";
import { CardWriter } from "./writer.ts";

export interface RoomCardDeps {
  room: Pick<RoomState, "id" | "encrypted" | "displayName">;
  session: { outbox: Pick<MatrixSession["outbox"], "send" | "budget"> };
  player: Pick<RoomPlayer, "state" | "onChange">;
  votes: Pick<SkipVotes, "tally" | "onChange">;
  covers: Pick<RoomCovers, "of" | "onChange">;
  settings: Pick<RoomSettings, "get" | "onChange">;
  documents: Pick<RoomDocuments, "read" | "write">;
  language: () => Language;
  clock: Clock;
  log: Log;
}

/** After a failure that may pass, and after one that will not by itself. */
const AGAIN_MS = 10_000;
const REFUSED_MS = 600_000;

type Act = Exclude<CardStep, { do: "wait" }>;

/** A step on its way. */
interface UnderWay {
  readonly abort: AbortController;
  /** What it writes: when the card should say something else, it is taken back as long as it waits. Null: it never is. */
  readonly fixed: string | null;
  /** Somebody waits for it. */
  readonly isAnswer: boolean;
}

interface Answering {
  readonly eventId: string;
  /** What is said before what the card says. */
  readonly lead: Sentence | null;
  readonly done: () => void;
}

/** The now-playing card of one room: one message, kept up to date as far as the rate limit allows (plan.ts). */
export class RoomCard {
  readonly #deps: RoomCardDeps;
  readonly #writer: CardWriter;
  readonly #unsubscribe: (() => void)[];
  /** Tracks that the card in the room has shown, and since when. */
  readonly #shown = new Heard();
  #state: CardState;
  /** Transaction of a card that may have been posted. */
  #posting: string | null;
  #underWay: UnderWay | null = null;
  /** A command that the card is the answer to, and who waits for that. */
  #answering: Answering | null = null;
  #timer: Timer | null = null;
  #notBeforeMs = 0;
  #last: { track: string | null; fixed: string | null } = { track: null, fixed: null };
  /** `waiting`: nobody knows yet what the last run has left. */
  #phase: "waiting" | "begun" | "closed" = "waiting";

  constructor(deps: RoomCardDeps) {
    this.#deps = deps;
    this.#writer = new CardWriter(deps);
    const { player, votes, covers, settings, documents, room } = deps;
    const { standing, old, posting } = loadCard(documents, room.id);
    this.#posting = posting;
    const unknown = { fixed: null, cover: null, positionMs: 0, speed: 0, writtenMs: 0 };
    this.#state = {
      ...{ old, talked: 0, trackMs: 0, changedMs: 0, dismissed: null },
      standing: standing && { ...standing, ...unknown },
    };
    this.#unsubscribe = [
      player.onChange(() => this.begin()),
      votes.onChange(() => this.#wake()),
      covers.onChange(() => this.#wake()),
      settings.onChange(({ name }) => {
        if (name === "card" || name === "language") this.#wake();
      }),
    ];
  }

  /** What the last run has left is known: the card is brought up to date. */
  begin(): void {
    if (this.#phase === "waiting") this.#phase = "begun";
    this.#wake();
  }

  /** Any live event of the room. */
  handle({ type, eventId, content, redacts }: RoomEvent): void {
    const { standing, old, talked } = this.#state;
    if (type === "m.room.message" && !isEdit(content) && eventId !== standing?.eventId) {
      this.#state = { ...this.#state, talked: talked + 1 };
    }
    if (type !== "m.room.redaction" || redacts === null) return;
    if (redacts === standing?.eventId) {
      this.#change({ standing: null, dismissed: standing.track });
      this.#shown.note(null, this.#deps.clock.now());
    } else if (old.includes(redacts)) this.#change({ old: old.filter((each) => each !== redacts) });
  }

  /**
   * What is still to be answered to a command, when the card says the rest of it: the card itself may be the answer.
   * `sent` resolves when that is with the homeserver, or will not be.
   */
  answer(eventId: string, sentence: Sentence): { say: Sentence | null; sent: Promise<void> } {
    const sent = Promise.resolve();
    const isOff = this.#phase === "closed" || this.#answering !== null;
    if (isOff || !this.#wanted()?.track) return { say: sentence, sent };
    const lags = this.#deps.session.outbox.budget === "none";
    const beside = answerBeside(sentence, { moves: isOutOfSight(this.#state), lags });
    if ("say" in beside) return { say: beside.say, sent };
    const posted = Promise.withResolvers<void>();
    this.#answering = { eventId, lead: beside.lead, done: posted.resolve };
    if (this.#underWay?.isAnswer === false) this.#underWay.abort.abort();
    this.begin();
    return { say: null, sent: posted.promise };
  }

  /** Whether this message is the card. */
  is(eventId: string): boolean {
    return this.#state.standing?.eventId === eventId;
  }

  /** The track that the card showed so long ago; null when none. */
  shown(msAgo: number): string | null {
    return this.#shown.at(this.#deps.clock.now() - msAgo);
  }

  /** Leaves the card as it is, for the next run. Idempotent. */
  close(): void {
    this.#phase = "closed";
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#timer?.cancel();
    this.#underWay?.abort.abort();
    this.#answering?.done();
  }

  #wanted(): CardView | null {
    const { room, player, votes, covers, settings, language } = this.#deps;
    const wish = settings.get("card");
    if (room.encrypted || wish === "off") return null;
    const nameOf = (userId: string): string => room.displayName(userId);
    const state = player.state();
    const cover = wish === "on" && state.now ? covers.of(state.now.track.id) : null;
    return cardView({ state, votes: votes.tally(), cover, nameOf, language: language() });
  }

  #wake(): void {
    if (this.#phase !== "begun") return;
    this.#timer?.cancel();
    this.#timer = null;
    const { clock, session, room } = this.#deps;
    const wanted = this.#wanted();
    const nowMs = clock.now();
    this.#note(wanted, nowMs);
    if (this.#underWay) {
      const { fixed, abort } = this.#underWay;
      if (fixed !== null && fixed !== wanted?.fixed) abort.abort();
      return;
    }
    if (this.#answering) return this.#start({ do: "post" }, wanted);
    // Nothing of ours may be sent there any more.
    if (room.encrypted) return;
    const budget = session.outbox.budget;
    const step = nextStep(this.#state, wanted, nowMs < this.#notBeforeMs ? "none" : budget, nowMs);
    if (step.do !== "wait") return this.#start(step, wanted);
    if (step.untilMs === null) return;
    this.#timer = clock.timer(Math.max(1, step.untilMs - nowMs), () => this.#wake());
  }

  /** When what is wanted became something else. */
  #note(wanted: CardView | null, nowMs: number): void {
    const { track = null, fixed = null } = wanted ?? {};
    if (track !== this.#last.track) this.#state = { ...this.#state, trackMs: nowMs };
    if (fixed !== this.#last.fixed) this.#state = { ...this.#state, changedMs: nowMs };
    if (track !== this.#state.dismissed) this.#state = { ...this.#state, dismissed: null };
    this.#last = { track, fixed };
  }

  #start(step: Act, wanted: CardView | null): void {
    const abort = new AbortController();
    const answering = this.#answering;
    this.#answering = null;
    const isText = answering === null && (step.do === "edit" || step.do === "post");
    const fixed = isText && wanted ? wanted.fixed : null;
    this.#underWay = { abort, fixed, isAnswer: answering !== null };
    this.#carryOut(step, wanted, answering, abort.signal)
      .catch((error: unknown) => this.#failed(step, toBotError(error), abort.signal))
      .finally(() => {
        this.#underWay = null;
        answering?.done();
        this.#wake();
      });
  }

  async #carryOut(
    step: Act,
    wanted: CardView | null,
    answering: Answering | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { standing, old } = this.#state;
    if (step.do === "remove") {
      await this.#writer.remove(step.eventId, signal);
      this.#forget(step.eventId);
    } else if (step.do === "retire") {
      this.#change({ standing: null, old: standing ? [...old, standing.eventId] : old });
    } else if (step.do === "post") {
      if (wanted) await this.#post(wanted, answering, signal);
    } else if (standing && step.do === "offer") {
      await this.#writer.offer(standing.eventId, step.button, signal);
      this.#stand(standing.eventId, { buttons: standing.buttons + 1 });
    } else if (standing && wanted) {
      const startedMs = this.#deps.clock.now();
      await this.#writer.edit(standing.eventId, wanted.message, signal);
      this.#stand(standing.eventId, written(wanted, startedMs));
    }
  }

  /** @param answering what it is the answer to; null: it comes by itself */
  async #post(wanted: CardView, answering: Answering | null, signal: AbortSignal): Promise<void> {
    const { room, clock, language } = this.#deps;
    const answers = answering?.eventId ?? null;
    const text = answering?.lead
      ? following(render(answering.lead, language()), wanted.message)
      : wanted.message;
    // What an earlier attempt has left in the room is found by its transaction, and then put right.
    const again = answers === null && this.#posting !== null;
    const txnId = answers === null ? (this.#posting ?? `card ${room.id} ${clock.wall()}`) : `card ${answers}`;
    this.#posting = txnId;
    this.#change({});
    const startedMs = clock.now();
    const eventId = await this.#writer.post(text, { answers, txnId, signal });
    this.#posting = null;
    const { standing, old } = this.#state;
    this.#change({
      standing: { eventId, buttons: 0, ...written(wanted, startedMs), ...(again ? { fixed: null } : {}) },
      old: standing && standing.eventId !== eventId ? [...old, standing.eventId] : old,
      talked: 0,
    });
    this.#shown.note(wanted.track, clock.now());
  }

  /** The card that stands has become another, if it still stands. */
  #stand(eventId: string, patch: Partial<Standing>): void {
    const { standing } = this.#state;
    if (standing?.eventId !== eventId) return;
    this.#change({ standing: { ...standing, ...patch } });
    if (patch.track !== undefined) this.#shown.note(patch.track, this.#deps.clock.now());
  }

  #forget(eventId: string): void {
    this.#change({ old: this.#state.old.filter((each) => each !== eventId) });
  }

  #change(patch: Partial<CardState>): void {
    this.#state = { ...this.#state, ...patch };
    const { standing, old } = this.#state;
    const kept = standing && { eventId: standing.eventId, track: standing.track, buttons: standing.buttons };
    const { documents, room } = this.#deps;
    saveCard(documents, room.id, { standing: kept, old: [...old], posting: this.#posting });
  }

  #failed(step: Act, error: BotError, { aborted }: AbortSignal): void {
    if (this.#phase === "closed") return;
    if (aborted && error.code === "cancelled") {
      // It was taken back before it was sent.
      if (step.do === "post") this.#posting = null;
      return;
    }
    this.#deps.log.info("send_failed", { what: `card ${step.do}`, code: error.code });
    const mayPass = error.retryable || error.code === "timeout" || error.code === "rate_limited";
    const isText = step.do === "post" || step.do === "edit";
    this.#notBeforeMs = this.#deps.clock.now() + (mayPass || !isText ? AGAIN_MS : REFUSED_MS);
    if (mayPass) return;
    // It may be there already, or not be allowed: the rest of the card does without.
    const { standing } = this.#state;
    if (step.do === "offer" && standing) this.#stand(standing.eventId, { buttons: standing.buttons + 1 });
    if (step.do === "remove") this.#forget(step.eventId);
  }
}

function isEdit(content: Readonly<Record<string, unknown>>): boolean {
  const relation = content["m.relates_to"];
  if (typeof relation !== "object" || relation === null) return false;
  return "rel_type" in relation && relation.rel_type === "m.replace";
}
