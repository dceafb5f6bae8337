import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { eventMode, eventPointer, readEvent } from "../../lib/http/event_request.ts";

const URL = "http://localhost/publish";
const HEADERS = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };

function request(headers: Record<string, string>, body?: BodyInit): Request {
  return new Request(URL, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
}

async function read(headers: Record<string, string>, body?: BodyInit) {
  const { attributes, payload } = await readEvent(request({ ...HEADERS, ...headers }, body), {
    mode: "binary",
    maxBytes: 1_000,
  });
  return { ...Object.fromEntries(attributes), ...payload };
}

Deno.test("eventMode() tells how a request carries events, if it does", () => {
  const modes = (type: string, more = {}) => eventMode(request({ "content-type": type, ...more }));
  assert.equal(modes("application/cloudevents+json; charset=UTF-8"), "structured");
  assert.equal(modes("Application/CloudEvents+JSON"), "structured");
  assert.equal(modes("application/cloudevents-batch+json"), "batch");
  assert.equal(modes("application/cloudevents+json", HEADERS), "structured");
  assert.equal(modes("application/json", HEADERS), "binary");
  assert.equal(modes("application/json", { "ce-id": "1" }), "binary");
  assert.equal(modes("application/json", { "ce-region": "eu" }), undefined);
  assert.equal(modes("application/cloudevents+avro"), undefined);
  assert.equal(modes("application/json"), undefined);
  assert.equal(eventMode(new Request(URL)), undefined);
});

Deno.test("readEvent() reads the body as its content type says", async () => {
  const base = { id: "1", source: "/s", type: "t" };
  const of = (datacontenttype: string, payload: object) => ({
    ...base,
    datacontenttype,
    ...payload,
  });
  const bytes = Uint8Array.of(0, 255);
  const cases: [string, BodyInit | undefined, object][] = [
    ["application/json", "[1]", { data: [1] }],
    ["text/json", "[1]", { data: [1] }],
    ["application/vnd.x+json", '"x"', { data: "x" }],
    ["text/plain; charset=iso-8859-1", Uint8Array.of(0xfc), { data: "ü" }],
    ["text/plain", "", {}],
    ["application/json", undefined, {}],
    ["application/xml", "<a/>", { dataBase64: "PGEvPg==" }],
    ["image/png", bytes, { dataBase64: "AP8=" }],
  ];
  for (const [type, body, payload] of cases) {
    assert.deepEqual(await read({ "content-type": type }, body), of(type, payload), type);
  }
  assert.deepEqual(await read({}, bytes), { ...base, dataBase64: "AP8=" });
});

Deno.test("readEvent() unquotes and percent-decodes headers, each once", async () => {
  const subjectOf = async (header: string) => {
    const event: Record<string, unknown> = await read({ "ce-subject": header });
    return event.subject;
  };
  assert.equal(await subjectOf("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro € 😀");
  assert.equal(await subjectOf("%2525"), "%25");
  assert.equal(await subjectOf('"a \\"b\\" %41"'), 'a "b" A');
  assert.equal(await subjectOf('"open'), '"open');
  assert.equal(await subjectOf("with space"), "with space");
  assert.equal(await subjectOf("\xc3\xbc"), "ü", "raw UTF-8, as curl sends it");
});

Deno.test("readEvent() points at the header that is wrong", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ "ce-subject": "%" }, "ce-subject"],
    [{ "ce-subject": "%ff" }, "ce-subject"],
    [{ "ce-my-name": "x" }, "ce-my-name"],
    [{ "ce-data": "x" }, "#"],
    [{ "ce-time": "now" }, "ce-time"],
    [{ "ce-datacontenttype": "text/plain" }, "ce-datacontenttype"],
  ];
  for (const [headers, pointer] of cases) {
    await assert.rejects(read(headers), (error) => {
      assert.ok(error instanceof RunnelError);
      assert.deepEqual(error.errors.map((one) => one.pointer), [pointer]);
      return true;
    });
  }
  assert.equal(eventPointer("binary")("datacontenttype"), "content-type");
  assert.equal(eventPointer("structured")("id"), "#/id");
});

Deno.test("readEvent() refuses what is larger than allowed, whatever carries it", async () => {
  for (const mode of ["binary", "structured"] as const) {
    const body = "x".repeat(2_000);
    await assert.rejects(readEvent(request(HEADERS, body), { mode, maxBytes: 1_000 }), {
      code: "payload_too_large",
    });
  }
});
