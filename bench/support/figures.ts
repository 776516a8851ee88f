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
