import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { negotiate } from "../../lib/http/negotiate.ts";

const OFFERS = ["text/event-stream", "application/x-ndjson"] as const;

function pick(accept?: string): string {
  const headers = accept === undefined ? {} : { accept };
  return negotiate(new Request("http://localhost", { headers }), OFFERS);
}

Deno.test("negotiate() gives the first offer where anything is accepted", () => {
  for (const accept of [undefined, "*/*", "text/*", "text/html, */*;q=0.1"]) {
    assert.equal(pick(accept), "text/event-stream", accept);
  }
});

Deno.test("negotiate() gives what the client likes best", () => {
  assert.equal(pick("application/x-ndjson"), "application/x-ndjson");
  assert.equal(pick("Application/X-NDJSON"), "application/x-ndjson");
  assert.equal(pick("text/event-stream;q=0.5, application/x-ndjson"), "application/x-ndjson");
  assert.equal(pick("application/*"), "application/x-ndjson");
});

Deno.test("negotiate() refuses a client that accepts none of the offers", () => {
  for (const accept of ["text/html", "application/json", "text/event-stream;q=0", "nonsense"]) {
    assert.throws(
      () => pick(accept),
      (error: unknown) => error instanceof RunnelError && error.code === "not_acceptable",
      accept,
    );
  }
});
