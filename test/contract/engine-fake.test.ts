import { FakeConnection, FakeEngine } from "../fakes/engine.ts";
import { connect, describeEngine } from "./engine-behaviour.ts";

describeEngine(
  "fake",
  () => new FakeEngine(),
  async (a, b, { loses, delayMs }) => {
    await connect(a, b);
    for (const { connection } of [a, b])
      if (connection instanceof FakeConnection)
        connection.impair({ delayMs, ...(connection === a.connection ? { loses } : {}) });
    return () => undefined;
  },
);
