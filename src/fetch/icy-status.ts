import type { Socket } from "node:net";

const ICY = "ICY ";

/**
 * Has a station of old (SHOUTcast 1) understood: its answer begins with `ICY 200 OK`, is HTTP 1.0 in all else, and no parser of
 * HTTP takes it. Only the first bytes of an answer are looked at.
 */
export function takeIcy(socket: Socket): void {
  const emit = socket.emit.bind(socket);
  let start = Buffer.alloc(0);
  const rewrite = (event: string | symbol, ...values: unknown[]): boolean => {
    const [piece] = values;
    if (event !== "data" || !Buffer.isBuffer(piece)) return emit(event, ...values);
    start = Buffer.concat([start, piece]);
    const head = start.toString("latin1", 0, ICY.length);
    // A network may cut anywhere.
    if (head.length < ICY.length && ICY.startsWith(head)) return true;
    socket.emit = emit;
    return emit(
      "data",
      head === ICY ? Buffer.concat([Buffer.from("HTTP/1.0 "), start.subarray(ICY.length)]) : start,
    );
  };
  socket.emit = rewrite;
}
