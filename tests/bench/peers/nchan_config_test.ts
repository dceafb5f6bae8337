import assert from "node:assert/strict";
import { nchanConfig } from "./nchan_config.ts";

const options = { module: "/modules/nchan.so", dir: "/tmp/x", port: 8123 };

Deno.test("nchanConfig() keeps messages in Redis where there is one", () => {
  const text = nchanConfig({ ...options, redisUrl: "redis://127.0.0.1:7000" });
  assert.match(text, /upstream store \{ nchan_redis_server redis:\/\/127\.0\.0\.1:7000; \}/);
  assert.match(text, /nchan_redis_pass store;/);
});

Deno.test("nchanConfig() names no Redis where there is none", () => {
  assert.doesNotMatch(nchanConfig({ ...options, redisUrl: undefined }), /redis|store/);
});

Deno.test("nchanConfig() writes in its own folder alone", () => {
  const text = nchanConfig({ ...options, redisUrl: undefined });
  const paths = [...text.matchAll(/(?:pid|error_log|_path) (\S+)/g)].map((match) => match[1]);
  assert.equal(paths.length, 7);
  assert.ok(paths.every((path) => path?.startsWith("/tmp/x/")));
});
