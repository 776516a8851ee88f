/** The process that has the connections of members moved by hand; started by ../hand.ts. It ends when its parent does. */
import { Connection } from "./connection.ts";
import { Hearing } from "./hearing.ts";

export type HandRequest = {
  readonly id: number;
  readonly call: "offer" | "answer" | "accept" | "state" | "close";
  /** Number of the connection; chosen by who asks. */
  readonly connection: number;
  readonly sdp: string;
};
export type HandReply = { readonly id: number; readonly value: string; readonly error: string | null };

const connections = new Map<number, Connection>();
const ignore = (): void => {};

async function perform({ call, connection: number, sdp }: HandRequest): Promise<string> {
  if (call === "offer" || call === "answer") {
    const made =
      call === "offer"
        ? await Connection.offer(new Hearing(), ignore, ignore)
        : await Connection.answer(sdp, new Hearing(), ignore, ignore);
    connections.set(number, made.connection);
    return made.sdp;
  }
  const connection = connections.get(number);
  if (!connection) throw new Error("no such connection");
  if (call === "accept") connection.accept(sdp);
  if (call === "close") connection.close();
  return connection.state;
}

process.on("message", (request: HandRequest) => {
  const reply = (value: string, error: string | null): void =>
    void process.send?.({ id: request.id, value, error } satisfies HandReply);
  perform(request).then(
    (value) => reply(value, null),
    (error: unknown) => reply("", String(error)),
  );
});
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});
