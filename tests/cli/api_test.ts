import assert from "node:assert/strict";
import { Api, segment, URL_OPTION } from "../../lib/cli/api.ts";
import { CliError } from "../../lib/cli/cli_error.ts";
import { VARIABLES } from "../../lib/config.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startFakeServer } from "./fake_server.ts";
import { runCli } from "./run_cli.ts";

async function failure(promise: Promise<unknown>): Promise<CliError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof CliError, `${error}`);
  return error;
}

Deno.test("Api refuses a server that is no http URL", () => {
  for (const url of ["localhost:8000", "ftp://x", "nonsense", "http://x?y", ""]) {
    assert.throws(() => new Api(url), CliError, url);
  }
});

Deno.test("Api takes the server of RUNNEL_URL or the default, whatever other variables say", async () => {
  const advice = async (env: Record<string, string>) => {
    const { code, stdout, stderr } = await runCli(["topics"], { env: { PORT: "wrong", ...env } });
    assert.deepEqual([code === 0, stdout], [false, ""]);
    return stderr;
  };
  const port = freePort();
  const given = await advice({ RUNNEL_URL: `http://127.0.0.1:${port}/` });
  assert.match(given, new RegExp(`Cannot reach the server at http://127.0.0.1:${port}: `));
  assert.match(await advice({ RUNNEL_URL: "ftp://x" }), /Cannot use "ftp:\/\/x" as the server/);
  const { default: standard } = VARIABLES.find(({ name }) => name === "RUNNEL_URL")!;
  assert.equal(new Api(undefined).base, Deno.env.get("RUNNEL_URL") || standard);
  assert.ok(URL_OPTION.help.includes(`${standard}`));
});

Deno.test("Api.send() keeps a path prefix of the server and the order of the query", async () => {
  await using server = startFakeServer((request) => new Response(new URL(request.url).href));
  const api = new Api(`${server.url}/functions/v1/`);
  const response = await api.send(`publish/${segment("a/b ü")}`, {
    query: [["x", "1"], ["x", "&"]],
  });
  assert.ok((await response.text()).endsWith("/functions/v1/publish/a%2Fb%20%C3%BC?x=1&x=%26"));
});

Deno.test("Api.send() says how to start a server where none listens", async () => {
  const error = await failure(new Api(`http://127.0.0.1:${freePort()}`).send("topics"));
  assert.match(error.message, /nothing listens there/);
  assert.match(error.advice.join("\n"), /deno task start/);
});

Deno.test("Api.send() tells what a problem document says, field by field", async () => {
  const problem = {
    detail: "The topic is not valid",
    code: "invalid_topic",
    requestId: "r1",
    errors: [{ pointer: "#/topic", detail: "Must not be empty" }],
  };
  await using server = startFakeServer(() =>
    Response.json(problem, { status: 400, headers: { "content-type": "application/problem+json" } })
  );
  const error = await failure(new Api(server.url).send("publish"));
  assert.equal(error.message, "The server refused (400 invalid_topic): The topic is not valid");
  assert.deepEqual(error.advice[0], "#/topic: Must not be empty");
});

Deno.test("Api.send() copes with answers of somebody else's server", async () => {
  await using server = startFakeServer((_request, number) =>
    new Response("<h1>Bad gateway", {
      status: 502,
      headers: { "content-type": number === 0 ? "text/html" : "application/json" },
    })
  );
  for (let i = 0; i < 2; i++) {
    assert.match((await failure(new Api(server.url).send("topics"))).message, /refused \(502\)/);
  }
});
