// Calls to a homeserver, for test people and for the harness.

/** Who calls; `baseUrl` without a slash at its end. */
export interface Session {
  readonly baseUrl: string;
  readonly userId: string;
  readonly accessToken: string;
}

/** The homeserver refused. `retryAfterMs` is there with M_LIMIT_EXCEEDED. */
export class MatrixRequestError extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly retryAfterMs: number | null;

  constructor(call: string, status: number, body: Readonly<Record<string, unknown>>) {
    super(`${call}: ${status} ${String(body["errcode"])} ${String(body["error"])}`);
    this.status = status;
    this.errcode = String(body["errcode"]);
    this.retryAfterMs = typeof body["retry_after_ms"] === "number" ? body["retry_after_ms"] : null;
  }
}

/** One JSON call; rejects with MatrixRequestError on any answer that is not 2xx. Never retries. */
export async function matrixRequest(
  caller: Pick<Session, "baseUrl"> & { readonly accessToken: string | null },
  method: string,
  path: string,
  body?: unknown,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<unknown> {
  const response = await fetch(caller.baseUrl + path, {
    method,
    headers: {
      ...(caller.accessToken === null ? {} : { authorization: `Bearer ${caller.accessToken}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
  return readAnswer(response, `${method} ${path.split("?")[0]}`);
}

/** The JSON of an answer; rejects with MatrixRequestError when it is not 2xx. `call` names it in the message. */
export async function readAnswer(response: Response, call: string): Promise<unknown> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = { errcode: "NOT_JSON", error: text.slice(0, 200) };
  }
  if (!response.ok) throw new MatrixRequestError(call, response.status, body as Record<string, unknown>);
  return body;
}
