import type { z } from "zod";

/** The store's documents of one room, in memory, through JSON as in the store. */
export class FakeDocuments {
  readonly kept = new Map<string, string>();

  read<T>(name: string, schema: z.ZodType<T>): T | null {
    return schema
      .nullable()
      .catch(null)
      .parse(JSON.parse(this.kept.get(name) ?? "null"));
  }

  has(name: string): boolean {
    return this.kept.has(name);
  }

  write(name: string, value: unknown): boolean {
    this.kept.set(name, JSON.stringify(value));
    return true;
  }

  remove(name: string): void {
    this.kept.delete(name);
  }

  setAside(name: string): void {
    this.kept.set(`${name}.damaged`, this.kept.get(name) ?? "null");
    this.kept.delete(name);
  }
}
