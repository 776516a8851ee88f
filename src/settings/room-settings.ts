import { z } from "zod";
import { Emitter } from "../base/emitter.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import { nearest } from "../base/nearest.ts";
import type { RoomDocuments } from "../store/store.ts";
import { SETTING_NAMES, settingName, settingOf, type SettingName, type SettingValues } from "./table.ts";

export interface RoomSettingsDeps {
  documents: Pick<RoomDocuments, "read" | "has" | "write">;
  prefix: string;
  /** Says in the room, once, what could not be read any more. Must not throw. */
  tell: (sentence: Sentence) => void;
  log: Log;
}

export interface SettingChange {
  name: SettingName;
  before: string | number;
  value: string | number;
}

/** Document: what people of the room have set, as text by name. Names of later versions stay in it untouched. */
const DOCUMENT = "settings";
const textsSchema = z.record(z.string(), z.unknown());

/** What one room has set; what it has not is as the table says. */
export class RoomSettings {
  readonly #deps: RoomSettingsDeps;
  readonly #changes = new Emitter<SettingChange>();
  #texts: Readonly<Record<string, unknown>> = {};
  #values: SettingValues;

  constructor(deps: RoomSettingsDeps) {
    this.#deps = deps;
    this.#values = this.#load();
  }

  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#values[name];
  }

  /** Whether somebody has set it to something else than it is by default. */
  isDefault(name: SettingName): boolean {
    return this.#values[name] === settingOf(name).default;
  }

  /**
   * @param typed as somebody wrote it; @param text the new value, as somebody wrote it
   * @throws BotError `bad_command` with what is allowed, or with the nearest name
   */
  set(typed: string, text: string): SettingChange {
    const name = this.named(typed);
    const { schema, allowed } = settingOf(name);
    const decoded = schema.safeParse(text);
    if (!decoded.success) {
      throw new BotError("bad_command", `bad value for ${name}`, {
        say: { key: "settings.bad_value", params: { name, value: text.slice(0, 40), allowed } },
      });
    }
    return this.#put(name, decoded.data);
  }

  /** Back to the default. @throws BotError `bad_command` with the nearest name */
  reset(typed: string): SettingChange {
    const name = this.named(typed);
    return this.#put(name, settingOf(name).default);
  }

  /** @throws BotError `bad_command` with the nearest name */
  named(typed: string): SettingName {
    const name = settingName(typed);
    if (name !== null) return name;
    const meant = nearest(typed.slice(0, 40), SETTING_NAMES);
    throw new BotError("bad_command", "no such setting", {
      say: meant
        ? { key: "settings.unknown_nearest", params: { name: typed.slice(0, 40), nearest: meant } }
        : { key: "settings.unknown", params: { name: typed.slice(0, 40), names: SETTING_NAMES.join(", ") } },
    });
  }

  /** Called after each change, when `get` has the new value. @returns a function that removes the listener */
  onChange(listener: (change: SettingChange) => void): () => void {
    return this.#changes.on(listener);
  }

  /** The store has other documents for the room than before (those of the room it has replaced). */
  reload(): void {
    const before = this.#values;
    this.#values = this.#load();
    for (const name of SETTING_NAMES) {
      const change = { name, before: before[name], value: this.#values[name] };
      if (change.before !== change.value) this.#changes.emit(change);
    }
  }

  close(): void {
    this.#changes.clear();
  }

  #put(name: SettingName, value: string | number): SettingChange {
    const before = this.#values[name];
    const texts = { ...this.#texts, [name]: String(value) };
    if (value === settingOf(name).default) delete texts[name];
    this.#texts = texts;
    this.#values = { ...this.#values, [name]: value };
    this.#deps.documents.write(DOCUMENT, this.#texts);
    const change = { name, before, value };
    if (before !== value) this.#changes.emit(change);
    return change;
  }

  #load(): SettingValues {
    const kept = this.#deps.documents.read(DOCUMENT, textsSchema);
    const allLost = kept === null && this.#deps.documents.has(DOCUMENT);
    const lost: string[] = [];
    const texts: Record<string, unknown> = { ...kept };
    const values: Record<string, string | number> = {};
    for (const name of SETTING_NAMES) {
      const { schema, default: standard } = settingOf(name);
      const decoded = texts[name] === undefined ? null : schema.safeParse(texts[name]);
      values[name] = decoded?.success ? decoded.data : standard;
      if (decoded === null || decoded.success) continue;
      this.#deps.log.warn("store_damaged", { document: DOCUMENT, setting: name });
      lost.push(name);
      delete texts[name];
    }
    this.#texts = texts;
    if (allLost || lost.length > 0) {
      // So that it is told once.
      this.#deps.documents.write(DOCUMENT, texts);
      const { tell, prefix } = this.#deps;
      const say: Sentence = allLost
        ? { key: "settings.damaged_all", params: { prefix } }
        : { key: "settings.damaged", params: { prefix, names: lost.join(", ") } };
      // Whoever tells it may ask here for the language first.
      queueMicrotask(() => tell(say));
    }
    return values as SettingValues;
  }
}
