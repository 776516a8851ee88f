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

export interface ExportTimes {
  readonly ms: number;
  readonly cpuMs: number;
}

/** How long one kind of export took, against ffmpeg that does the same with files that are already aligned. */
export interface ExportRow {
  readonly what: "track" | "mixes" | "everything";
  readonly format: "opus" | "flac" | "wav";
  readonly speakers: number;
  /** Medians: time by the clock, and of all cores together. */
  readonly ours: ExportTimes;
  /** Null where there is nothing to compare. */
  readonly ffmpeg: ExportTimes | null;
}

export interface ExportFigures {
  /** Of the recording. */
  readonly lengthMs: number;
  readonly runs: number;
  readonly rows: readonly ExportRow[];
  /** The export child's largest resident set, with a recording of that length and one of four times of it. */
  readonly peakBytes: { readonly short: number; readonly long: number };
}

interface QueryFigures {
  readonly medianMs: number;
  readonly worstMs: number;
}

export interface LibraryFigures {
  readonly files: number;
  /** From the first look at the folder until all tags are read, and after a restart until all is found again. */
  readonly indexMs: number;
  readonly listedMs: number;
  /** After a restart, until what was kept of names is known to somebody who asks at once. */
  readonly knownMs: number;
  /** Of a core, both processes: meanwhile, and in the worst ten seconds of it. */
  readonly share: number;
  readonly worstShare: number;
  readonly queries: Readonly<
    Record<"title" | "words" | "beginnings" | "errors" | "nothing" | "many", QueryFigures>
  >;
  /** More than before, in the process that has the index. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Of the process that reads tags, at most. */
  readonly childBytes: number;
}

/** All files of a recording brought to the disk once, in ms: wall clock, and what this process computed for it. */
export interface FlushFigures {
  readonly medianMs: number;
  readonly worstMs: number;
  readonly cpuMs: number;
}

export interface RecorderFigures {
  readonly speakers: number;
  readonly windowMs: number;
  /** Of one core: what recording adds, for each speaker; median over the windows. */
  readonly sharePerSpeaker: number;
  /** Of all of them, by turns recorded and not. */
  readonly shares: readonly { readonly on: number; readonly off: number }[];
  /** On the disk, for each speaker. */
  readonly bytesPerSecond: number;
  readonly flushes: {
    /** Written, and left to the system. */
    readonly written: FlushFigures;
    /** Written and synced (fdatasync), all at once, as a recording does. */
    readonly synced: FlushFigures;
    /** The same one after the other. */
    readonly inTurn: FlushFigures;
  };
}

/** Of one core: what the bot's processes computed, and what the programs that they started did (ffmpeg). */
export interface RoomShare {
  readonly own: number;
  readonly programs: number;
}

export interface PlayerFigures {
  /** From the command being sent to the first sound of what comes at a member, ms. */
  readonly skips: readonly number[];
  readonly seeks: readonly number[];
  readonly windowMs: number;
  readonly windows: number;
  /** One room with one member, medians. */
  readonly idle: RoomShare;
  readonly paused: RoomShare;
  readonly playing: RoomShare;
}

export interface SeekRow {
  /** Of the kind of file. */
  readonly name: string;
  /** Where it went on, less where it was asked to, of each seek. */
  readonly errorsMs: readonly number[];
  /** From the request to its first frame. */
  readonly waitsMs: readonly number[];
  /** The longest silence where one such file follows another. */
  readonly gapMs: number;
}

export interface SeekFigures {
  readonly rows: readonly SeekRow[];
}

/** How far from the truth (simulated), or from each other (for real), ms. */
interface Apartness {
  readonly maxMs: number;
  readonly p99Ms: number;
}

export interface AlignmentRow {
  readonly name: string;
  readonly resampled: Apartness;
  readonly opus: Apartness;
}

export interface AlignmentFigures {
  readonly seeds: number;
  /** The worst seed of each scene. */
  readonly simulated: readonly AlignmentRow[];
  /** One voice under several identities at once; null where that was not measured. */
  readonly real: {
    readonly identities: number;
    readonly lengthMs: number;
    readonly resampled: Apartness;
    readonly opus: Apartness;
  } | null;
}
