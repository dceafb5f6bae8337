import assert from "node:assert/strict";
import { describeUnknown, unknownVariables } from "../../lib/cli/unknown_variables.ts";
import { VARIABLES } from "../../lib/config.ts";

Deno.test("unknownVariables() finds mistyped names and the ones that were meant", () => {
  const meant: Record<string, string | undefined> = {
    RUNNEL_MAX_MESAGES: "RUNNEL_MAX_MESSAGES",
    RUNNEL_MAX_MSGS: "RUNNEL_MAX_MESSAGES",
    RUNNEL_PORT: "PORT",
    RUNNEL_REDIS_URL: "REDIS_URL",
    RUNNEL_XYZ: undefined,
    runnel_auth: "RUNNEL_AUTH",
    REDIS_TLS_CERTIFICATE: "REDIS_TLS_CERT",
    REDIS_TLS_SERVER_NAME: "REDIS_TLS_SERVERNAME",
    REDIS_TLS_VERIFY: undefined,
    REDIS_URI: "REDIS_URL",
    REDIS_PASWORD: "REDIS_PASSWORD",
  };
  const found = unknownVariables(Object.keys(meant));
  assert.deepEqual(Object.fromEntries(found.map(({ name, nearest }) => [name, nearest])), meant);
});

Deno.test("unknownVariables() leaves alone what is known or somebody else's", () => {
  const others = ["PATH", "HOSTS", "REDIS_HOST", "REDIS_PORT", "REDIS_SERVICE_PORT", "TUNNEL_URL"];
  const links = ["RUNNEL_SERVICE_HOST", "RUNNEL_PORT_8000_TCP_ADDR"];
  const known = VARIABLES.map(({ name }) => name);
  assert.deepEqual(unknownVariables([...others, ...links, ...known]), []);
});

Deno.test("describeUnknown() names the variable and the one that is meant", () => {
  const text = describeUnknown({ name: "RUNNEL_A", nearest: "RUNNEL_AUTH" });
  assert.match(text, /RUNNEL_A is not known and has no effect: is RUNNEL_AUTH meant\?$/);
  assert.match(describeUnknown({ name: "RUNNEL_A", nearest: undefined }), /no effect$/);
});
