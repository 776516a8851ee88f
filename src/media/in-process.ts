import { BotError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { Emitter } from "../base/emitter.ts";
import type { Log } from "../base/log.ts";
import type { FetchPolicy } from "../fetch/url.ts";
import { createPlaneCore } from "./core.ts";
import type { PlaneCore } from "./core.ts";
import type { Engine } from "./engine/engine.ts";
import { planeEventSchema, planeRequestSchema, planeResultSchemas } from "./messages.ts";
import type {
  MediaPlane,
  PlaneEvent,
  PlaneRequest,
  PlaneRequestKind,
  PlaneResult,
  PlaneState,
} from "./plane.ts";

export interface InProcessPlaneOptions {
  engine: Engine;
  clock: Clock;
  log: Log;
  ffmpegPath: string | null;
  fetchPolicy?: FetchPolicy;
}

/** The media plane in this process, for tests. Messages are copied and decoded as if they crossed to a child. */
export class InProcessPlane implements MediaPlane {
  readonly #core: PlaneCore;
  readonly #events = new Emitter<PlaneEvent>();
  readonly #states = new Emitter<PlaneState>();
  #state: PlaneState = "up";

  constructor(options: InProcessPlaneOptions) {
    this.#core = createPlaneCore({
      ...options,
      onEvent: (event) => this.#events.emit(planeEventSchema.parse(structuredClone(event))),
    });
  }

  get state(): PlaneState {
    return this.#state;
  }

  async request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    if (this.#state === "closed") throw new BotError("media_plane_down", "the media plane is closed");
    const result = await this.#core.handle(planeRequestSchema.parse(structuredClone(request)), signal);
    return planeResultSchemas[request.kind].parse(structuredClone(result)) as PlaneResult<K>;
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.#events.on(listener);
  }

  onState(listener: (state: PlaneState) => void): () => void {
    return this.#states.on(listener);
  }

  async close(): Promise<void> {
    if (this.#state !== "closed") {
      this.#state = "closed";
      this.#states.emit("closed");
    }
    await this.#core.close();
  }
}
