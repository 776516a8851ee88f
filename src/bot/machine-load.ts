import { cpus } from "node:os";

/** With less of all cores left since the last look somebody needs them. */
const IDLE_SHARE = 0.25;
/** In a shorter time a system that counts in hundredths of a second says nothing. */
const TELLING_MS = 500;

/** Whether this machine had something to do since the last look, whoever's work it was. */
export class MachineLoad {
  #idleMs = 0;
  #allMs = 0;
  #isBusy = false;

  get isBusy(): boolean {
    let [idleMs, allMs] = [0, 0];
    for (const { times } of cpus()) {
      idleMs += times.idle;
      // What has a low priority gives way by itself.
      allMs += times.user + times.sys + times.irq + times.idle;
    }
    if (allMs - this.#allMs >= TELLING_MS) {
      this.#isBusy = (idleMs - this.#idleMs) / (allMs - this.#allMs) < IDLE_SHARE;
      [this.#idleMs, this.#allMs] = [idleMs, allMs];
    }
    return this.#isBusy;
  }
}
