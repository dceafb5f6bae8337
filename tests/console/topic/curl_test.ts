import assert from "node:assert/strict";
import fc from "fast-check";
import { curlCommand, republishTopic, shellQuote } from "../../../lib/console/topic/curl.ts";
import { readMessage } from "../../../lib/console/topic/raw_message.ts";
import { draftOf } from "../../../lib/console/topic/republish.ts";

const base = new URL("http://127.0.0.1:8000/functions/v1/");

async function shell(script: string): Promise<string> {
  const child = new Deno.Command("sh", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { stdout, success } = await child.output();
  assert.ok(success);
  return new TextDecoder().decode(stdout);
}

function message(fields: string, topic = "a"): ReturnType<typeof readMessage> {
  return readMessage(
    `{"id":"17-65536","topic":${JSON.stringify(topic)},"time":"2026-01-31T12:00:00Z",${fields}}`,
  );
}

/** What the command would send. */
async function sent(command: string): Promise<{ args: string[]; body: string }> {
  // as curl, which prints its arguments each with a NUL, and then what it reads
  const fake = `curl() { printf '%s\\0' "$@"; for a; do [ "$a" = @- ] && cat; done; true; }\n`;
  const args = (await shell(fake + command)).split("\0");
  const rest = args.pop() ?? "";
  const body = args.includes("@-") ? rest.trimEnd() : args[args.indexOf("--data-raw") + 1] ?? "";
  return { args, body };
}

Deno.test("shellQuote() gives a shell exactly the text", async () => {
  const texts = fc.sample(
    fc.string({
      unit: fc.constantFrom("'", '"', "\\", "$", "`", "!", "\n", " ", "a", "é", "*", "@"),
    }),
    { numRuns: 50, seed: 7 },
  );
  const script = texts.map((text) => `printf '%s\\0' ${shellQuote(text)}`).join("\n");
  assert.deepEqual((await shell(script)).split("\0").slice(0, -1), texts);
});

Deno.test("curlCommand() publishes the message again, with every number as it was written", async () => {
  const one = message(
    `"type":"it's","key":"k","headers":{"h":"$HOME"},"replyTo":"$inbox.1","data":{"n":12345678901234567890}`,
    "orders/eu 'x'".replaceAll(" ", ""),
  );
  const { args, body } = await sent(curlCommand(one, { base, withToken: false }) ?? "");
  assert.equal(args[0], "http://127.0.0.1:8000/functions/v1/publish");
  assert.equal(
    body,
    `{"topic":"orders/eu'x'","type":"it's","key":"k","headers":{"h":"$HOME"},"data":{"n":12345678901234567890}}`,
  );
});

Deno.test("curlCommand() takes the credential from the environment, and never has it itself", async () => {
  const command = curlCommand(message('"data":1'), { base, withToken: true }) ?? "";
  const { args } = await sent(`RUNNEL_TOKEN='a b'; ${command}`);
  assert.ok(args.includes("authorization: Bearer a b"));
});

Deno.test("curlCommand() sends a long message as input, since an argument has a limit", async () => {
  const data = "it's $HOME `x` ".repeat(20_000);
  const { body } = await sent(
    curlCommand(message(`"data":${JSON.stringify(data)}`), { base, withToken: false }) ?? "",
  );
  assert.equal(JSON.parse(body).data, data);
});

Deno.test("curlCommand() sends bytes as bytes", async () => {
  const one = message('"contentType":"image/png","dataBase64":"AAEC"');
  const { body } = await sent(curlCommand(one, { base, withToken: false }) ?? "");
  assert.deepEqual(JSON.parse(body), { topic: "a", contentType: "image/png", dataBase64: "AAEC" });
});

Deno.test("a dead letter is published again where it lived, without what it died of", () => {
  const dead = message(
    '"headers":{"dead-reason":"nack","dead-group":"g","dead-deliveries":"3","dead-id":"1-1","mine":"x"},"data":{"a":1}',
    "$dead.jobs",
  );
  const command = curlCommand(dead, { base, withToken: false }) ?? "";
  assert.match(command, /"topic":"jobs","headers":\{"mine":"x"\},"data":\{"a":1\}/);
  assert.deepEqual(draftOf(dead).headers, [{ name: "mine", value: "x" }]);
  assert.equal(draftOf(dead).payload, '{\n  "a": 1\n}');
});

Deno.test("nobody publishes to the system's topics", () => {
  assert.equal(republishTopic("$stats"), undefined);
  assert.equal(republishTopic("$dead.$inbox.1"), undefined);
  assert.equal(curlCommand(message('"data":1', "$stats"), { base, withToken: false }), undefined);
});
