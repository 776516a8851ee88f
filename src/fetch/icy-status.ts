import type { Socket } from "node:net";

const ICY = "ICY ";

/**
 * Has a station of old (SHOUTcast 1) understood: its answer begins with `ICY 200 OK`, is HTTP 1.0 in all else, and no parser of
 * HTTP takes it. Only the first bytes of an answer are looked at.
 */
export function takeIcy(socket: Socket): void {
  const emit = socket.emit.bind(socket);
  const rewrite = (event: string | symbol, ...values: unknown[]): boolean => {
    const [first] = values;
    if (event !== "data" || !Buffer.isBuffer(first)) return emit(event, ...values);
    socket.emit = emit;
    const isIcy = first.toString("latin1", 0, ICY.length) === ICY;
    return emit(
      "data",
      isIcy ? Buffer.concat([Buffer.from("HTTP/1.0 "), first.subarray(ICY.length)]) : first,
    );
  };
  socket.emit = rewrite;
}
