import { Connection } from "../../lib/redis/connection.ts";
import { freePort } from "../_support/port.ts";
import { deadline, until } from "../_support/until.ts";

Deno.test("Connection is closed in time whatever it does: while it dials in vain, or was dropped and dials anew", async () => {
  const address = { host: "127.0.0.1", port: freePort(), tls: false, db: 0 };
  const options = { address, connections: 1, connectTimeoutMs: 200, commandTimeoutMs: 200 };
  for (const resets of [0, 3]) {
    const connection = new Connection(options);
    for (let i = 0; i <= resets; i++) {
      const work = connection.run((client) => client.ping()).then(() => false, () => true);
      await until(() => work, { what: "a command to be refused" });
      if (i < resets) connection.reset();
    }
    await deadline(connection[Symbol.asyncDispose](), 2_000, "the connection to close");
  }
});
