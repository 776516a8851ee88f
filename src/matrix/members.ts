import { z } from "zod";
import { oneLine } from "../base/messages/catalogue.ts";

export type Membership = "join" | "invite" | "ban" | "leave";

interface Member {
  readonly membership: Exclude<Membership, "leave">;
  /** null: none, or blank. */
  readonly displayName: string | null;
}

const memberSchema = z.object({
  membership: z.enum(["join", "invite", "ban", "leave", "knock"]).catch("leave"),
  displayname: z.string().max(1000).nullable().optional().catch(null),
});

/** Of a name, in UTF-16 units; what is longer is made to be in the way. */
const MAX_NAME = 80;
/** Beyond this people are not remembered: they count as not in the room. */
const MAX_MEMBERS = 100_000;

/** Who is in a room and what they are called there. People who left are forgotten. */
export class Members {
  readonly #members = new Map<string, Member>();
  /** How many joined or invited people have a display name. */
  readonly #names = new Map<string, number>();
  #joined = 0;

  get joinedCount(): number {
    return this.#joined;
  }

  /** Takes the content of an m.room.member event. */
  set(userId: string, content: unknown): void {
    const result = memberSchema.safeParse(content);
    const membership = result.success ? result.data.membership : "leave";
    this.#forget(userId);
    if (membership === "leave" || membership === "knock" || this.#members.size >= MAX_MEMBERS) return;
    // Cleaned before names are compared: two that only look different are the same to people.
    const name = oneLine(oneLine(result.data?.displayname ?? "").slice(0, MAX_NAME));
    const member = { membership, displayName: name === "" ? null : name };
    this.#members.set(userId, member);
    if (membership === "join") this.#joined += 1;
    this.#count(member, 1);
  }

  clear(): void {
    this.#members.clear();
    this.#names.clear();
    this.#joined = 0;
  }

  membershipOf(userId: string): Membership {
    return this.#members.get(userId)?.membership ?? "leave";
  }

  *joined(): IterableIterator<string> {
    for (const [userId, member] of this.#members) if (member.membership === "join") yield userId;
  }

  /**
   * What a person is called in the room, told apart when two share a name (client-server API, "Calculating the display
   * name for a user"): the display name, else the user id, else both.
   */
  displayName(userId: string): string {
    const name = this.#members.get(userId)?.displayName ?? null;
    if (name === null) return userId;
    return (this.#names.get(name) ?? 0) > 1 ? `${name} (${userId})` : name;
  }

  #forget(userId: string): void {
    const member = this.#members.get(userId);
    if (member === undefined) return;
    this.#members.delete(userId);
    if (member.membership === "join") this.#joined -= 1;
    this.#count(member, -1);
  }

  #count(member: Member, by: number): void {
    if (member.displayName === null || member.membership === "ban") return;
    const count = (this.#names.get(member.displayName) ?? 0) + by;
    if (count <= 0) this.#names.delete(member.displayName);
    else this.#names.set(member.displayName, count);
  }
}
