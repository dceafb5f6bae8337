import assert from "node:assert/strict";
import { readInfo } from "./redis_gauge.ts";

Deno.test("readInfo() adds up a Redis's own CPU time and counts commits", () => {
  const info = [
    "# CPU",
    "used_cpu_sys:1.250000",
    "used_cpu_user:2.500000",
    "used_cpu_sys_children:9.000000",
    "used_cpu_sys_main_thread:1.000000",
    "# Commandstats",
    "cmdstat_hset:calls=80,usec=1",
    "cmdstat_set:calls=42,usec=99,usec_per_call=2.36",
  ].join("\r\n");
  assert.deepEqual(readInfo(info), { cpu: 3.75, commits: 42 });
  assert.deepEqual(readInfo("used_cpu_sys:1\r\nused_cpu_user:0\r\n"), { cpu: 1, commits: 0 });
});
