import assert from "node:assert/strict";
import { parseEvent } from "../../lib/codec/cloud_event.ts";
import { eventJson, messageOfEvent } from "../../lib/codec/event_message.ts";
import { messageBody, type MessageFields } from "../../lib/codec/message.ts";

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const REQUIRED = { specversion: "1.0", id: "1", source: "/s", type: "t" };

function delivered(fields: MessageFields, id: string | null = "1-2"): Record<string, unknown> {
  return JSON.parse(eventJson({ id, topic: "a", time: TIME, body: messageBody(fields) }));
}

Deno.test("messageOfEvent() makes type, partitionkey and datacontenttype the message's own", () => {
  const event = parseEvent({
    ...REQUIRED,
    ...{ partitionkey: "k", datacontenttype: "text/xml", ext: "x", data: "<a/>" },
  });
  assert.deepEqual(messageOfEvent(event), {
    type: "t",
    key: "k",
    contentType: "text/xml",
    headers: { "ce-specversion": "1.0", "ce-ext": "x", "ce-id": "1", "ce-source": "/s" },
    data: "<a/>",
  });
});

Deno.test("messageOfEvent() keeps a type that cannot be a browser's event, as a header", () => {
  for (const type of ["error", "message", "$ready", "x".repeat(300)]) {
    const fields = messageOfEvent(parseEvent({ ...REQUIRED, type }));
    assert.equal(fields.type, undefined);
    assert.equal(fields.headers?.["ce-type"], type);
    assert.equal(delivered(fields).type, type);
  }
});

Deno.test("eventJson() gives numbers, booleans and the absence of data back", () => {
  const given = { ...REQUIRED, count: -7, flag: false, text: "5" };
  const place = { runnelid: "1-2", runneltopic: "a" };
  assert.deepEqual(delivered(messageOfEvent(parseEvent(given))), { ...given, ...place });
  const empty = { ...given, data: null };
  assert.deepEqual(delivered(messageOfEvent(parseEvent(empty))), { ...empty, ...place });
});

Deno.test("eventJson() keeps every number of the data as it was written", () => {
  const body = '{"headers":{},"data":[12345678901234567890,1e400]}';
  const json = eventJson({ id: "1-2", topic: "a", time: TIME, body });
  assert.ok(json.includes("[12345678901234567890,1e400]"), json);
});

Deno.test("eventJson() drops what another Runnel said of its own place", () => {
  const event = parseEvent({ ...REQUIRED, runnelid: "9-9", runneltopic: "b", runnelfuture: 1 });
  const kept = { "ce-id": "1", "ce-source": "/s", "ce-specversion": "1.0" };
  assert.deepEqual(messageOfEvent(event).headers, { ...kept, "ce-value-types": "data:absent" });
  assert.deepEqual(delivered(messageOfEvent(event)), {
    ...REQUIRED,
    runnelid: "1-2",
    runneltopic: "a",
  });
});

Deno.test("eventJson() makes no event of headers that only look like one's", () => {
  const own = { source: "/topics/a", id: "1-2", type: "runnel.message" };
  const cases: Record<string, string>[] = [
    { "ce-id": "1", "ce-source": "/s" },
    { "ce-specversion": "0.3", "ce-id": "1", "ce-source": "/s" },
    { "ce-specversion": "1.0", "ce-id": "", "ce-source": "/s" },
    { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "not a source" },
  ];
  for (const headers of cases) {
    const { source, id, type } = delivered({ data: 1, headers });
    assert.deepEqual({ source, id, type }, own);
  }
  const headers = {
    ...{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s" },
    ...{ "ce-data": "x", "ce-time": "soon", "ce-BIG": "x", "ce-runnelid": "x", "ce-x": "\n" },
  };
  assert.deepEqual(delivered({ data: 1, headers }), {
    ...{ ...REQUIRED, type: "runnel.message" },
    ...{ runnelid: "1-2", runneltopic: "a", data: 1 },
  });
});

Deno.test("eventJson() leaves out what no event may say", () => {
  const event = delivered({
    data: { a: 1 },
    key: "a\nb",
    contentType: "image/png",
    headers: { id: "x", "X-A": "x", ok: "yes", runnelid: "x", bad: "\0", data: "x" },
  });
  const { time: _time, ...rest } = event;
  assert.deepEqual(rest, {
    ...{ specversion: "1.0", id: "1-2", source: "/topics/a", type: "runnel.message" },
    ...{ ok: "yes", runnelid: "1-2", runneltopic: "a", data: { a: 1 } },
  });
  assert.equal(event.time, "2026-01-02T03:04:05.678Z");
});

Deno.test("eventJson() gives an ephemeral message one id for all who get it", () => {
  const stored = { id: null, topic: "a", time: TIME, body: messageBody({ data: 1 }) };
  const [first, again] = [stored, stored].map((one) => JSON.parse(eventJson(one)));
  assert.equal(first.id, again.id);
  assert.equal("runnelid" in first, false);
  assert.notEqual(JSON.parse(eventJson({ ...stored })).id, first.id);
});

Deno.test("eventJson() tells of a delivery and where a reply goes", () => {
  const body = messageBody({ data: 1, replyTo: "$inbox.x" });
  const delivery = { deliveries: 2, lease: "7", leaseUntil: TIME };
  const event = JSON.parse(eventJson({ id: "1-2", topic: "a", time: TIME, body }, delivery));
  assert.deepEqual(
    [event.runneldeliveries, event.runnellease, event.runnelleaseuntil, event.runnelreplyto],
    [2, "7", "2026-01-02T03:04:05.678Z", "$inbox.x"],
  );
});
