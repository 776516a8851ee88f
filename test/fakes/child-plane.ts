import type { ChildPlane } from "../../src/media/room-plane.ts";
import type { PlaneRequest, PlaneRequestKind, PlaneResult } from "../../src/media/plane.ts";
import { FakePlane, type FakePlaneOptions } from "./plane.ts";

let lastPid = 0;

/** A fake plane with a process that is forked by the first request, and anew after a crash. */
export class FakeChildPlane extends FakePlane implements ChildPlane {
  #pid: number | null = null;

  constructor(options: FakePlaneOptions) {
    super(options);
    this.onState((state) => {
      this.#pid = state === "up" ? ++lastPid : null;
    });
  }

  get childPid(): number | null {
    return this.#pid;
  }

  get engine(): string | null {
    return this.#pid === null ? null : "fake";
  }

  override request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    if (this.state === "up") this.#pid ??= ++lastPid;
    return super.request<K>(request, signal);
  }
}
