import { HomeserverError } from "../../src/matrix/homeserver.ts";
import type { Homeserver, HttpMethod, RequestOptions } from "../../src/matrix/homeserver.ts";

export interface FakeRequest {
  method: HttpMethod;
  path: string;
  query: Readonly<Record<string, string | number | boolean>>;
  body: object | null;
}

type Answer = (request: FakeRequest, signal: AbortSignal) => unknown;

/** A homeserver that answers what a test tells it to; the last rule that fits counts. Paths are decoded. */
export class FakeHomeserver implements Homeserver {
  readonly baseUrl = "http://homeserver.test";
  readonly requests: FakeRequest[] = [];
  readonly #rules: { method: HttpMethod; path: RegExp; answer: Answer }[] = [];

  on(method: HttpMethod, path: RegExp, answer: Answer): this {
    this.#rules.unshift({ method, path, answer });
    return this;
  }

  async request(method: HttpMethod, path: string, options: RequestOptions = {}): Promise<unknown> {
    const request = {
      method,
      path: decodeURIComponent(path),
      query: options.query ?? {},
      body: options.body ?? null,
    };
    this.requests.push(request);
    const rule = this.#rules.find((rule) => rule.method === method && rule.path.test(request.path));
    if (rule === undefined) throw new HomeserverError(404, "M_UNRECOGNIZED", `no rule for ${path}`, null);
    const signal = options.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([rule.answer(request, signal), aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** An answer that a test gives when it likes. */
export class Gate<T = unknown> {
  readonly promise: Promise<T>;
  readonly open: (value: T) => void;
  readonly fail: (error: unknown) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.promise = promise;
    this.open = resolve;
    this.fail = reject;
  }
}

export function limitExceeded(retryAfterMs: number): HomeserverError {
  return new HomeserverError(429, "M_LIMIT_EXCEEDED", "Too many requests", retryAfterMs);
}
