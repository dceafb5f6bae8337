import assert from "node:assert/strict";
import { rateIn } from "./redis_benchmark.ts";

Deno.test("rateIn() finds the rate behind a command with quotes and numbers in it", () => {
  const head = '"test","rps","avg_latency_ms","min","p50","p95","p99","max"\n';
  const line = 'XADD k * m {"a":"1.5","b":2}","84033.61","0.4","0.1","0.4","0.6","0.9","3.1"\n';
  assert.equal(rateIn(`${head}"${line}`), 84_033.61);
});

Deno.test("rateIn() finds no rate where there is none", () => {
  for (const text of ["", "ERR unknown command", '"0.00","0","0","0","0","0","0"']) {
    assert.equal(rateIn(text), undefined, text);
  }
});
