import assert from "node:assert/strict";
import { FilteredRows, messageFilter } from "../../../lib/console/topic/message_filter.ts";
import { readMessage } from "../../../lib/console/topic/raw_message.ts";
import { TailBuffer, type TailRow } from "../../../lib/console/topic/tail_buffer.ts";

function row(n: number, extra = ""): TailRow & { kind: "message" } {
  const text =
    `{"id":"${n}-1","topic":"a","time":"2026-01-31T12:00:00Z",${extra}"data":"number ${n}"}`;
  return { kind: "message", message: readMessage(text) };
}

function ids(buffer: TailBuffer): string[] {
  const found: string[] = [];
  for (let i = buffer.first; i < buffer.end; i++) {
    const one = buffer.at(i);
    found.push(one?.kind === "message" ? one.message.id ?? "" : "?");
  }
  return found;
}

Deno.test("TailBuffer keeps the last rows under numbers that stay", () => {
  const buffer = new TailBuffer({ rows: 3, characters: Infinity });
  for (let n = 0; n < 20; n++) buffer.push(row(n));
  assert.deepEqual(ids(buffer), ["17-1", "18-1", "19-1"]);
  assert.equal(buffer.first, 17);
  assert.equal(buffer.end, 20);
  assert.equal(buffer.dropped, 17);
  assert.equal(buffer.at(16), undefined);
  assert.equal(buffer.at(20), undefined);
});

Deno.test("TailBuffer keeps so many characters, and the newest message whatever its size", () => {
  const size = row(100).message.text.length;
  const buffer = new TailBuffer({ rows: 100, characters: size * 2 });
  for (let n = 100; n < 110; n++) buffer.push(row(n));
  assert.deepEqual(ids(buffer), ["108-1", "109-1"]);
  assert.equal(buffer.characters, size * 2);
  buffer.push(row(200, `"key":"${"x".repeat(1000)}",`));
  assert.deepEqual(ids(buffer), ["200-1"]);
});

Deno.test("TailBuffer counts messages as dropped, not gaps and notices", () => {
  const buffer = new TailBuffer({ rows: 2, characters: Infinity });
  buffer.push({ kind: "gap", reason: "retention", at: 0 });
  buffer.push({ kind: "notice", text: "x", at: 0 });
  buffer.push(row(1));
  buffer.push(row(2));
  assert.equal(buffer.dropped, 0);
  buffer.clear();
  assert.equal(buffer.length, 0);
  assert.equal(buffer.first, buffer.end);
});

Deno.test("messageFilter() looks in payload, type, key and headers, whatever the case", () => {
  const text =
    `{"id":"1-1","topic":"needle","time":"2026-01-31T12:00:00Z","type":"Paid","key":"k-7",` +
    `"headers":{"region":"eu"},"data":{"name":"Zoë","quote":"say \\"hi\\"","line":"a\\nb"}}`;
  const message = readMessage(text);
  const finds = (wanted: string) => messageFilter(wanted)?.(message);
  for (const wanted of ["paid", "K-7", "region", "EU", "zoë", 'say "hi"', "a\\nb", '"name":"zo']) {
    assert.equal(finds(wanted), true, wanted);
  }
  for (const wanted of ["needle", "2026", "data", "headers", "type", ".*"]) {
    assert.equal(finds(wanted), false, wanted);
  }
  assert.equal(messageFilter("  "), undefined);
});

Deno.test("FilteredRows shows what passes, also while rows come and go", () => {
  const buffer = new TailBuffer({ rows: 10, characters: Infinity });
  const shown = new FilteredRows(buffer);
  const seen = () => Array.from({ length: shown.length }, (_, i) => shown.at(i));
  for (let n = 0; n < 6; n++) buffer.push(row(n));
  assert.equal(shown.length, 6);
  shown.use(({ id }) => Number(id?.split("-")[0]) % 2 === 0);
  assert.equal(shown.advance(1_000), true);
  assert.equal(shown.length, 3);
  buffer.push({ kind: "gap", reason: "retention", at: 0 });
  for (let n = 7; n < 100; n++) {
    buffer.push(row(n));
    shown.advance(1_000);
  }
  assert.deepEqual(
    seen().map((one) => one?.kind === "message" ? one.message.id : one?.kind),
    ["90-1", "92-1", "94-1", "96-1", "98-1"],
  );
  assert.equal(shown.shift, 45);
  assert.equal(shown.indexOf(shown.numberAt(3)), 3);
  shown.use(undefined);
  assert.equal(shown.length, 10);
});

Deno.test("FilteredRows does its work bit by bit", () => {
  const buffer = new TailBuffer();
  for (let n = 0; n < 1_000; n++) buffer.push(row(n));
  const shown = new FilteredRows(buffer);
  shown.use(() => true);
  assert.equal(shown.advance(-1), false);
  assert.ok(shown.length > 0 && shown.length < 1_000);
  while (!shown.advance(-1));
  assert.equal(shown.length, 1_000);
});
