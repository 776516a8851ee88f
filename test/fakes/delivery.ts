import type { BotError } from "../../src/base/errors.ts";
import type { Sentence } from "../../src/base/messages/catalogue.ts";
import type { DeliveredFile, DeliveryRoom, RoomWishes } from "../../src/recorder/delivery/room.ts";

/** A homeserver's side of a delivery: the same transaction id never makes a second event. */
export class FakeDelivery implements DeliveryRoom {
  readonly roomId: string;
  wishes: RoomWishes = { format: "opus", zip: false, language: "en", keepDays: 0 };
  /** File names and sentences as the room sees them, in order. */
  readonly sent: string[] = [];
  readonly said: Sentence[] = [];
  readonly files = new Map<string, DeliveredFile>();
  readonly edits: Sentence[] = [];
  /** Of uploads, in order. */
  readonly uploads: string[] = [];
  /** Thrown by the next uploads of a file name. */
  readonly errors = new Map<string, BotError[]>();
  /** Uploads that the homeserver has lost. */
  readonly lost = new Set<string>();
  limit: number | null = null;
  /** Called before anything reaches the homeserver; a test may throw. */
  onCall: (what: string) => void = () => undefined;
  readonly #events = new Map<string, string>();

  constructor(roomId = "!room:test") {
    this.roomId = roomId;
  }

  /** The event id of what was posted or said under a name; null when it was not. */
  eventOf(name: string): string | null {
    return this.#names.get(name) ?? null;
  }
  readonly #names = new Map<string, string>();

  uploadLimit: DeliveryRoom["uploadLimit"] = () => Promise.resolve(this.limit);
  upload: DeliveryRoom["upload"] = async (_, { fileName }) => {
    this.onCall(`upload ${fileName}`);
    const error = this.errors.get(fileName)?.shift();
    if (error) throw error;
    this.uploads.push(fileName);
    return Promise.resolve(`mxc://test/${this.uploads.length}`);
  };
  holds: DeliveryRoom["holds"] = (mxc) => Promise.resolve(!this.lost.has(mxc));
  post: DeliveryRoom["post"] = async (file, txnId) => {
    this.onCall(`post ${file.fileName}`);
    return Promise.resolve(
      this.#once(txnId, file.fileName, () => {
        this.sent.push(file.fileName);
        this.files.set(file.fileName, file);
      }),
    );
  };
  say: DeliveryRoom["say"] = async (sentence, txnId) => {
    this.onCall(`say ${sentence.key}`);
    return Promise.resolve(this.#once(txnId, sentence.key, () => this.said.push(sentence)));
  };
  edit: DeliveryRoom["edit"] = (_, sentence) => Promise.resolve(this.edits.push(sentence));

  #once(txnId: string, name: string, first: () => void): string {
    const before = this.#events.get(txnId);
    if (before !== undefined) return before;
    first();
    const eventId = `$${this.#events.size}`;
    this.#events.set(txnId, eventId);
    this.#names.set(name, eventId);
    return eventId;
  }
}
