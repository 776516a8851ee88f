// The voice channel as the web client speaks it, by the letter and with its weaknesses (docs/PROTOCOL.md): what would
// make the real one lose an event makes this one lose it too. The weaknesses are marked "weak:".

const CALLSTATE = "de.mtorials.test.callstate";
const CALL = "de.mtorials.test.call";
const REFRESH_MS = 15_000;
const EXPIRE_MS = 20_000;
const CANDIDATE_MS = 1_000;

export class Client {
  /** Errors that the web client would have thrown into the console, newest last, at most 200. */
  errors = [];
  /** Who offered to whom and what else went over the wire, newest last, at most 500: `{atMs, way, type, key}`. */
  log = [];
  #config;
  #stream;
  #onTrack;
  #joined = false;
  /** Rendered members: key → {timestamp}. */
  #members = new Map();
  /** key → time of its newest membership event, by the homeserver. */
  #newest = new Map();
  /** key → {pc, candidates, timer} */
  #peers = new Map();
  #timers = [];
  #abort = new AbortController();
  #transaction = 0;

  /** `config`: {baseUrl, accessToken, roomId, key}. `onTrack(key, stream)` is told what is heard from whom. */
  constructor(config, stream, onTrack) {
    this.#config = config;
    this.#stream = stream;
    this.#onTrack = onTrack;
  }

  /** Resolves when the room is known. */
  async start() {
    const first = await this.#sync(null);
    const room = first.rooms?.join?.[this.#config.roomId];
    if (!room) throw new Error("not in the room");
    for (const event of [...(room.state?.events ?? []), ...(room.timeline?.events ?? [])])
      if (event.type === CALLSTATE) this.#onMembership(event);
    void this.#loop(first.next_batch);
  }

  async join() {
    if (this.#joined) return;
    this.#expire();
    this.#joined = true;
    // Only when the room has it: an offer that overtakes it would be lost.
    await this.#putState("JOINED");
    this.#timers.push(setInterval(() => void this.#guard(() => this.#putState("JOINED")), REFRESH_MS));
    this.#timers.push(setInterval(() => this.#expire(), EXPIRE_MS));
    for (const key of this.#members.keys()) await this.#guard(() => this.#offer(key));
  }

  async leave() {
    if (!this.#joined) return;
    this.#joined = false;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const key of [...this.#peers.keys()]) this.#close(key);
    await this.#putState("LEFT");
  }

  state() {
    return {
      joined: this.#joined,
      members: [...this.#members.keys()],
      peers: Object.fromEntries(
        [...this.#peers].map(([key, { pc }]) => [
          key,
          { connection: pc.connectionState, ice: pc.iceConnectionState, signaling: pc.signalingState },
        ]),
      ),
    };
  }

  connection(key) {
    return this.#peers.get(key)?.pc ?? null;
  }

  // --- what comes

  #onMembership({ state_key: key, content, origin_server_ts: sentMs }) {
    if (key === this.#config.key) return;
    // Synapse's next answer can hold an older LEFT in its state after the JOINED: a page that obeyed would hang up on
    // members at random, and tests of them would fail at random.
    if (sentMs < (this.#newest.get(key) ?? 0)) return;
    this.#newest.set(key, sentMs);
    if (content.join_state === "JOINED") this.#members.set(key, { timestamp: content.timestamp });
    if (content.join_state === "LEFT") {
      this.#members.delete(key);
      this.#close(key);
    }
  }

  async #onSignalling({ content }) {
    if (!this.#joined) return;
    if (content.receiver !== this.#config.key) return; // weak: also when there is none
    if (!this.#members.has(content.sender)) return; // weak: an offer that overtook its JOINED is lost
    const { sender, rtc_type: type } = content;
    if (!["offer", "answer", "icecandidate"].includes(type)) return; // weak: `candidate` is not known
    this.#note("in", type, sender);
    const body = JSON.parse(content.body); // weak: throws at an object and at raw SDP
    if (type === "offer") {
      const { pc } = this.#peer(sender);
      await pc.setRemoteDescription(body); // Chromium rolls an own offer back by itself.
      await pc.setLocalDescription(await pc.createAnswer());
      await this.#signal("answer", sender, pc.localDescription);
    } else if (type === "answer") {
      await this.#peers.get(sender)?.pc.setRemoteDescription(body);
    } else {
      await this.#peers.get(sender)?.pc.addIceCandidate(body); // weak: throws before the remote description
    }
  }

  #expire() {
    const now = Date.now();
    for (const [key, { timestamp }] of this.#members) {
      // weak: a string never expires, and the connection of who expires stays open
      if (typeof timestamp === "number" && now - timestamp > EXPIRE_MS) this.#members.delete(key);
    }
  }

  // --- what goes

  async #offer(key) {
    const { pc } = this.#peer(key);
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    await this.#signal("offer", key, offer); // Without candidates: they follow one by one.
  }

  #peer(key) {
    const known = this.#peers.get(key);
    if (known) return known;
    const pc = new RTCPeerConnection({
      iceServers: this.#config.iceServers ?? [],
      iceTransportPolicy: this.#config.iceTransportPolicy ?? "all",
    });
    const candidates = [];
    const send = () => {
      const candidate = candidates.pop(); // weak: the last one first
      if (candidate) void this.#guard(() => this.#signal("icecandidate", key, candidate));
    };
    const peer = { pc, timer: setInterval(send, CANDIDATE_MS) };
    pc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) candidates.push(candidate.toJSON());
    });
    pc.addEventListener("track", ({ track, streams }) => {
      this.#onTrack(key, streams[0] ?? new MediaStream([track]));
    });
    pc.addEventListener("connectionstatechange", () => this.#note("state", pc.connectionState, key));
    for (const track of this.#stream.getTracks()) pc.addTrack(track, this.#stream);
    this.#peers.set(key, peer);
    return peer;
  }

  #close(key) {
    const peer = this.#peers.get(key);
    if (!peer) return;
    this.#peers.delete(key);
    clearInterval(peer.timer);
    peer.pc.close();
    this.#note("state", "closed", key);
  }

  async #putState(joinState) {
    const { roomId, key } = this.#config;
    await this.#call(
      "PUT",
      `rooms/${encodeURIComponent(roomId)}/state/${CALLSTATE}/${encodeURIComponent(key)}`,
      {
        join_state: joinState,
        timestamp: Date.now(),
      },
    );
  }

  async #signal(type, receiver, body) {
    const { roomId, key } = this.#config;
    this.#note("out", type, receiver);
    const transaction = `${Date.now()}.${this.#transaction++}`;
    await this.#call("PUT", `rooms/${encodeURIComponent(roomId)}/send/${CALL}/${transaction}`, {
      rtc_type: type,
      sender: key,
      receiver,
      body: JSON.stringify(body),
    });
  }

  // --- the homeserver

  async #loop(first) {
    let since = first;
    while (!this.#abort.signal.aborted) {
      try {
        const answer = await this.#sync(since);
        since = answer.next_batch;
        const room = answer.rooms?.join?.[this.#config.roomId];
        for (const event of [...(room?.state?.events ?? []), ...(room?.timeline?.events ?? [])]) {
          if (event.type === CALLSTATE && event.state_key !== undefined) this.#onMembership(event);
          if (event.type === CALL) void this.#guard(() => this.#onSignalling(event));
        }
      } catch (error) {
        this.#fail(error);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async #sync(since) {
    const query = new URLSearchParams({ timeout: since === null ? "0" : "30000" });
    // Synapse gives the same question the same answer for two minutes; a page that was loaded again must not get it.
    query.set("filter", JSON.stringify({ presence: { limit: 1 + Math.floor(Math.random() * 1e6) } }));
    if (since !== null) query.set("since", since);
    return this.#call("GET", `sync?${query}`);
  }

  async #call(method, path, body) {
    const response = await fetch(`${this.#config.baseUrl}/_matrix/client/v3/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#config.accessToken}` },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.#abort.signal,
    });
    const answer = await response.json();
    // weak: a 429 is not tried again
    if (!response.ok)
      throw new Error(`${method} ${path.split("?")[0]}: ${response.status} ${answer.errcode}`);
    return answer;
  }

  async #guard(action) {
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    this.errors.push(String(error));
    if (this.errors.length > 200) this.errors.shift();
  }

  #note(way, type, key) {
    this.log.push({ atMs: Date.now(), way, type, key });
    if (this.log.length > 500) this.log.shift();
  }
}
