import assert from "node:assert/strict";
import { ApiError } from "../../lib/console/api.ts";
import { refusedText, wantedText } from "../../lib/console/credential_words.ts";

Deno.test("who shows no credential reads what the page wants, and nothing of HTTP", () => {
  const text = wantedText(
    new ApiError(401, "unauthenticated", "Show a token or an API key as Authorization: Bearer"),
  );
  assert.doesNotMatch(text, /Authorization|Bearer|\?ticket/);
});

Deno.test("who is signed out reads the server's reason", () => {
  assert.match(wantedText(new ApiError(401, "invalid_token", "The token has expired")), /expired/);
});

Deno.test("a wrong credential is said to be one, with the server's reason; other faults speak for themselves", () => {
  assert.equal(
    refusedText(new ApiError(401, "invalid_token", "No such key")),
    "This key or token is not taken here: No such key",
  );
  assert.equal(refusedText(new ApiError(503, "redis_timeout", "Too slow")), "Too slow");
  assert.equal(refusedText("odd"), "odd");
});
