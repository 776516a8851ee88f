import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { openAccount } from "./account.ts";
import type { Clock } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Tally } from "../base/tally.ts";
import { readStatus } from "./bot-status.ts";
import { MEMBERSHIP_TYPE } from "../channel/ports.ts";
import { deviceNameFrom, MAX_MEDIA_CHILDREN, type Config } from "../config/config.ts";
import type { Health } from "../health/health.ts";
import { tallied } from "../health/log-tally.ts";
import type { BotStatus } from "../health/status.ts";
import { IceServers } from "./ice-servers.ts";
import { mediaLibrary } from "./library.ts";
import { openHomeserver } from "../matrix/sdk-client.ts";
import { DelayedEvents } from "../matrix/delayed-events.ts";
import { MatrixSession, type JoinInfo, type RoomEvent, type RoomState } from "../matrix/session.ts";
import { findFfmpeg } from "../media/audio/ffmpeg-path.ts";
import { enginesFor } from "../media/engine-choice.ts";
import { SpreadPlane } from "../media/spread.ts";
import { SupervisedPlane } from "../media/supervisor.ts";
import { roomCovers } from "./covers.ts";
import type { Covers } from "../player/cover/covers.ts";
import type { FolderScan } from "../player/loudness/folder-scan.ts";
import { LoudnessScans } from "../player/loudness/scans.ts";
import type { Library } from "../player/resolver/library.ts";
import { StandBy } from "../player/stand-by.ts";
import type { Sources } from "../player/resolver/resolver.ts";
import type { RecordingArchive } from "../recorder/archive.ts";
import type { DeliveryRoom } from "../recorder/delivery/room.ts";
import { ChildExporter } from "../recorder/exporter.ts";
import { deliveryRoom } from "./delivery-room.ts";
import { Recordings } from "./recordings.ts";
import { RoomAgent } from "./room-agent.ts";
import { RoomMoves } from "./room-moves.ts";
import { roomSources } from "./sources.ts";
import { Store } from "../store/store.ts";

export interface AppDeps {
  version: string;
  config: Config;
  clock: Clock;
  log: Log;
}

const DRAIN_MS = 2_000;

/** Everything that lives as long as the connection to the homeserver does. */
interface Parts {
  store: Store;
  session: MatrixSession;
  delayed: DelayedEvents;
  plane: SpreadPlane;
  archive: RecordingArchive;
  recordings: Recordings;
  sources: Sources;
  loudness: LoudnessScans;
  standBy: StandBy;
  covers: Covers;
  levels: FolderScan | null;
  library: Library;
  ice: IceServers;
  moves: RoomMoves;
  deviceName: string;
}

/** The bot: builds its parts, hands what happens in rooms to their agents, and closes all in order. */
export class App {
  readonly #deps: AppDeps;
  readonly #agents = new Map<string, RoomAgent>();
  readonly #fatal = Promise.withResolvers<never>();
  #parts: Parts | null = null;
  #session: MatrixSession | null = null;
  #health: Health | null = null;
  #running = false;
  #closing: Promise<void> | null = null;
  readonly #tally = new Tally();
  readonly #startedMs: number;

  constructor(deps: AppDeps) {
    this.#deps = { ...deps, log: tallied(deps.log, this.#tally) };
    this.#startedMs = deps.clock.now();
    this.#fatal.promise.catch(() => undefined);
  }

  /**
   * Runs until `stop` aborts; `close` then ends it.
   * @throws BotError what makes running pointless: `forbidden` (token), `ffmpeg_missing`, `store_too_new`, …
   */
  async run(stop: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((done) => stop.addEventListener("abort", () => done(), { once: true }));
    await Promise.race([this.#start(stop), stopped, this.#fatal.promise]);
    await Promise.race([stopped, this.#fatal.promise]);
  }

  /** Closes recordings, posts LEFT in each channel, and ends all that was started. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { config, clock, log } = this.#deps;
    const dataDir = resolve(config.dataDir);
    await this.#openHealth(dataDir);
    const ffmpeg = await findFfmpeg(config.ffmpegPath);
    await this.#checkMediaDir();
    const { accessToken } = await openAccount(config, { wait: true, clock, log, signal });
    if (this.#closing) return;
    const homeserver = await openHomeserver(config.homeserverUrl, accessToken);
    const session = new MatrixSession({
      ...{ homeserver, accessToken, dataDir, clock, log, tally: this.#tally },
      invitesAllow: config.invitesAllow,
      takesInvite: (roomId) => this.#parts?.moves.invited(roomId) ?? false,
      keptStateTypes: [MEMBERSHIP_TYPE],
      handlers: {
        onRoomJoined: (room, info) => this.#onRoomJoined(room, info),
        onRoomLeft: (roomId) => this.#onRoomLeft(roomId),
        onRoomEvent: (room, event) => this.#onRoomEvent(room, event),
        onGap: (roomId) => this.#parts?.recordings.missed(roomId),
        onSynced: (afterFailure) => {
          for (const agent of this.#agents.values()) agent.synced(afterFailure);
        },
      },
      onFatal: (error) => this.#fatal.reject(error),
    });
    this.#session = session;
    const connectMs = clock.now();
    const { userId, deviceId } = await session.connect();
    const connectedMs = clock.now();
    const store = Store.open({ dataDir, clock, log });
    const delayed = new DelayedEvents({ homeserver, outbox: session.outbox, clock, log });
    const engines = enginesFor(config.engine);
    const fetchPolicy = { allowHttp: config.fetchHttp, allow: config.fetchAllow };
    const plane = new SpreadPlane({
      children: config.mediaChildren ?? Math.min(availableParallelism(), MAX_MEDIA_CHILDREN),
      createChild: () => new SupervisedPlane({ clock, log, ffmpegPath: ffmpeg, fetchPolicy, engines }),
    });
    const { adminToken, recordingsKeepDays: keepDays, recordingsMaxBytes: maxBytes } = config;
    const recordings = new Recordings({
      ...{ dataDir, store, homeserver, prefix: config.commandPrefix, clock, log },
      admin: adminToken === null ? null : await openHomeserver(config.homeserverUrl, adminToken),
      exporter: new ChildExporter({ ffmpeg, clock }),
      limits: { keepDays, maxBytes },
      room: (roomId) => this.#deliveryRoom(roomId),
    });
    const { archive } = recordings;
    const loudness = new LoudnessScans({ dataDir, log });
    const { library, levels } = mediaLibrary({
      ...{ root: resolve(config.mediaDir), dataDir, clock, log, scans: loudness, ffmpeg },
      ...{ scanPercent: config.loudnessScanPercent, isBusy: () => archive.isExporting },
    });
    const errands = plane.room("errands");
    const sources = roomSources({
      ...{ library, media: session.media, plane: errands, config, dataDir, clock, log },
    });
    const ice = new IceServers({
      ...{ homeserver, config, clock, log },
      onRenewed: () => {
        for (const agent of this.#agents.values()) agent.refreshIce();
      },
    });
    const deviceName = config.deviceName ?? deviceNameFrom(deviceId);
    const moves = new RoomMoves({
      ...{ homeserver, store, clock, log, rooms: () => session.rooms },
      agent: (roomId) => this.#agents.get(roomId)?.moving ?? null,
      onMoved: () => void archive.deliverWaiting(),
    });
    const kept = { store, session, delayed, archive, recordings };
    const covers = roomCovers({ media: session.media, dataDir, clock, log });
    const standBy = new StandBy();
    const music = { ...kept, plane, sources, loudness, levels, covers, standBy };
    const parts = { ...music, library, ice, moves, deviceName };
    this.#parts = parts;
    if (this.#closing) return;
    void delayed.start();
    await archive.findInterrupted();
    await Promise.all([session.start(), ice.start()]);
    this.#running = true;
    log.info("ready", {
      user: userId,
      device: deviceName,
      rooms: this.#agents.size,
      startupMs: Math.round(clock.now() - this.#startedMs),
      homeserverMs: Math.round(connectedMs - connectMs),
    });
    library.start();
    const moving = moves.start();
    const staying = [...this.#agents].filter(([roomId]) => !moving.has(roomId));
    archive.releaseOthers(new Set(staying.map(([roomId]) => roomId)));
    await Promise.all(staying.map(([, agent]) => agent.resume()));
    await recordings.recover();
  }

  /** Only when it is asked for: what it loads is more than an idle bot needs. */
  async #openHealth(dataDir: string): Promise<void> {
    const { config, clock, log } = this.#deps;
    if (config.healthListen === null) return;
    const { Health } = await import("../health/health.ts");
    const health = await Health.open({
      ...{ listen: config.healthListen, dataDir, clock, log, tally: this.#tally },
      status: () => this.#status(),
      recordingBytes: async () => (await this.#parts?.archive.runningBytes()) ?? 0,
      reports: () =>
        Promise.all([...this.#agents.values()].filter(({ inside }) => inside).map((agent) => agent.report())),
    });
    if (this.#closing) await health.close();
    else this.#health = health;
  }

  #status(): BotStatus {
    const { version, clock } = this.#deps;
    const parts = this.#parts;
    const phase = this.#closing ? "closing" : this.#running ? "running" : parts ? "starting" : "connecting";
    return readStatus({
      ...{ version, clock, tally: this.#tally, startedMs: this.#startedMs, parts, phase },
      channels: [...this.#agents.values()].map((agent) => agent.channelStatus()),
    });
  }

  /** A folder that is not there is said at start, and may come later. */
  async #checkMediaDir(): Promise<void> {
    const path = resolve(this.#deps.config.mediaDir);
    const found = await stat(path).catch(() => null);
    if (!found?.isDirectory()) this.#deps.log.warn("media_dir_missing", { path });
  }

  async #onRoomJoined(room: RoomState, { fresh }: JoinInfo): Promise<void> {
    if (this.#parts === null || this.#closing) return;
    const { clock, log, config } = this.#deps;
    const { ice, moves, plane, ...parts } = this.#parts;
    if (!fresh) parts.store.known(room.id);
    const agent = new RoomAgent({
      ...{ ...parts, plane: plane.room(room.id), room, clock, log, prefix: config.commandPrefix },
      sources: parts.sources.of(room.id),
      ice: () => ice.settings(),
      ...{ status: () => this.#status(), tally: this.#tally },
    });
    this.#agents.set(room.id, agent);
    // Before the first sync is over the others are not known yet.
    const moved = this.#running && moves.joined(room);
    if (fresh && !moved) await agent.welcome();
  }

  async #onRoomLeft(roomId: string): Promise<void> {
    const agent = this.#agents.get(roomId);
    if (!agent) return;
    this.#agents.delete(roomId);
    await agent.close({ gone: true });
    this.#parts?.store.forgetRoom(roomId);
  }

  async #onRoomEvent(room: RoomState, event: RoomEvent): Promise<void> {
    this.#parts?.recordings.handle(event);
    if (this.#running && event.type === "m.room.tombstone") this.#parts?.moves.look(room);
    await this.#agents.get(room.id)?.handle(event);
  }

  #deliveryRoom(recordedIn: string): DeliveryRoom | null {
    const parts = this.#parts;
    const roomId = parts?.moves.addressOf(recordedIn) ?? null;
    const settings = roomId === null ? undefined : this.#agents.get(roomId)?.settings;
    if (!parts || roomId === null || !settings) return null;
    return deliveryRoom({ roomId, session: parts.session, settings });
  }

  async #close(): Promise<void> {
    const parts = this.#parts;
    const { log } = this.#deps;
    const failed = (what: string) => (error: unknown) =>
      log.error("handler_failed", { what, reason: messageOf(error) });
    const moved = parts?.moves.close().catch(failed("room upgrade"));
    await Promise.all([...this.#agents.values()].map((agent) => agent.close().catch(failed("room"))));
    await moved;
    this.#agents.clear();
    parts?.ice.close();
    parts?.sources.close();
    parts?.loudness.close();
    parts?.covers.close();
    // The recordings are closed and LEFT is posted; what follows only ends processes and connections.
    await Promise.all([
      parts?.recordings.close().catch(failed("recordings")),
      parts?.session.outbox.drain(DRAIN_MS).catch(failed("outbox")),
      parts?.delayed.close(),
      parts?.plane.close().catch(failed("media plane")),
    ]);
    await this.#session?.stop().catch(failed("session"));
    parts?.store.close();
    await this.#health?.close().catch(failed("health"));
    this.#fatal.reject(new BotError("cancelled", "closed"));
  }
}
