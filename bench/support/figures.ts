// The figures that benches leave in bench/results, as data.

/** Shares of one core, and packets a second. */
export interface CpuShare {
  /** Of the process itself. */
  readonly own: number;
  /** Of the programs that it started (ffmpeg). */
  readonly programs: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
}

export interface CpuRow {
  readonly what: "listeners" | "speakers" | "mesh" | "rooms";
  readonly size: number;
  readonly bot: CpuShare;
  readonly bare: CpuShare;
  /** Median over the windows; of the processes alone, and for rooms with their ffmpeg. */
  readonly ratio: number;
}

export interface CpuFigures {
  readonly windowMs: number;
  readonly windows: number;
  readonly rows: readonly CpuRow[];
}

/** All times in ms. */
export interface SetupFigures {
  /** From the offer to connected. */
  readonly alone: { readonly bot: readonly number[]; readonly bare: readonly number[] };
  /** From so many offers to the last one connected. */
  readonly crowd: {
    readonly size: number;
    readonly bot: readonly number[];
    readonly bare: readonly number[];
  };
  /** From `!play` being sent to the first packet of its sound at a member. */
  readonly plays: readonly number[];
}

/** What a process holds after a forced collection: bytes and counts. */
export interface Held {
  readonly pid: number;
  readonly atMs: number;
  readonly rss: number;
  readonly heapUsed: number;
  /** Memory outside of V8's heap that its objects own, array buffers included. */
  readonly external: number;
  /** Timers, sockets and other things that keep a loop alive (`process.getActiveResourcesInfo`). */
  readonly handles: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly children: number;
}

export interface MemorySample {
  /** Since the first cycle. */
  readonly minute: number;
  readonly cycles: number;
  readonly control: Held | null;
  readonly media: Held | null;
}

export interface MemoryFigures {
  readonly members: number;
  /** Before the first cycle of leaving and joining, and after the first 200. */
  readonly before: MemorySample;
  readonly after: MemorySample | null;
  /** One a minute from then on; cycles go on. */
  readonly hour: readonly MemorySample[];
  /** Connections that the members have had, in all. */
  readonly connections: number;
}
