import assert from "node:assert/strict";
import fc from "fast-check";
import { describeRedisAddress, parseRedisUrl } from "../../lib/redis/address.ts";

Deno.test("parseRedisUrl() reads the forms of redis:// and rediss://", () => {
  const plain = { host: "example.com", port: 6379, tls: false, db: 0 };
  assert.deepEqual(parseRedisUrl("redis://example.com"), plain);
  assert.deepEqual(parseRedisUrl("redis://example.com/"), plain);
  assert.deepEqual(parseRedisUrl("REDIS://example.com:7000/3"), { ...plain, port: 7000, db: 3 });
  assert.deepEqual(parseRedisUrl("rediss://example.com"), { ...plain, tls: true });
  assert.deepEqual(parseRedisUrl("redis://u:p@example.com"), {
    ...plain,
    username: "u",
    password: "p",
  });
  assert.deepEqual(parseRedisUrl("redis://:p@example.com"), { ...plain, password: "p" });
  assert.deepEqual(parseRedisUrl("redis://u@example.com"), { ...plain, username: "u" });
});

Deno.test("parseRedisUrl() reads IPv6 addresses without their brackets", () => {
  assert.deepEqual(parseRedisUrl("redis://[::1]:7000"), {
    host: "::1",
    port: 7000,
    tls: false,
    db: 0,
  });
});

Deno.test("parseRedisUrl() percent-decodes user and password", () => {
  const address = parseRedisUrl("redis://us%3Aer:p%40s%2Fs%25%C3%A9@h");
  assert.equal(address.username, "us:er");
  assert.equal(address.password, "p@s/s%é");
});

Deno.test("parseRedisUrl() reads unix sockets, with database, user and password", () => {
  assert.deepEqual(parseRedisUrl("unix:/run/redis.sock"), {
    path: "/run/redis.sock",
    tls: false,
    db: 0,
  });
  assert.deepEqual(parseRedisUrl("unix:///a%20b.sock?db=2"), {
    path: "/a b.sock",
    tls: false,
    db: 2,
  });
  assert.deepEqual(parseRedisUrl("unix://u:p%40:q@/a.sock"), {
    path: "/a.sock",
    tls: false,
    username: "u",
    password: "p@:q",
    db: 0,
  });
  assert.deepEqual(parseRedisUrl("unix://:p@/a.sock"), {
    path: "/a.sock",
    tls: false,
    password: "p",
    db: 0,
  });
});

Deno.test("parseRedisUrl() reads Sentinels with the name of their primary", () => {
  assert.deepEqual(parseRedisUrl("redis+sentinel://h1,h2:7000,[::1]:1/my%20set"), {
    sentinel: {
      endpoints: [{ host: "h1", port: 26379 }, { host: "h2", port: 7000 }, {
        host: "::1",
        port: 1,
      }],
      master: "my set",
    },
    tls: false,
    db: 0,
  });
  assert.deepEqual(parseRedisUrl("rediss+sentinel://u:p%40@h/m/3"), {
    sentinel: { endpoints: [{ host: "h", port: 26379 }], master: "m" },
    username: "u",
    password: "p@",
    tls: true,
    db: 3,
  });
});

Deno.test("parseRedisUrl() reads nodes of a Cluster", () => {
  assert.deepEqual(parseRedisUrl("redis+cluster://h1,h2:7000"), {
    cluster: [{ host: "h1", port: 6379 }, { host: "h2", port: 7000 }],
    tls: false,
    db: 0,
  });
  assert.deepEqual(parseRedisUrl("rediss+cluster://:p@h/0"), {
    cluster: [{ host: "h", port: 6379 }],
    password: "p",
    tls: true,
    db: 0,
  });
});

Deno.test("parseRedisUrl() refuses what it does not support, without repeating any of it", () => {
  const wrong = [
    "",
    "secret",
    "http://secret@host",
    "redis+secret://h",
    "redis+sentinel://:secret@h1,h2",
    "redis+sentinel://:secret@h1,h2/",
    "redis+sentinel://:secret@h1,,h2/master",
    "redis+sentinel://:secret@h1:0,h2/master",
    "redis+sentinel://:secret@h1:70000/master",
    "redis+sentinel://:secret@h1/master/x",
    "redis+sentinel://:secret@h1/master/0/1",
    "redis+sentinel://:secret@h1/%zz",
    "redis+sentinel:secret",
    "redis+sentinel://:secret@h1/master?db=1",
    "redis+cluster://:secret@h1,h2/1",
    "redis+cluster://:secret@",
    "redis+cluster://:secret@h 1",
    "redis+cluster://:secret@[::1",
    "redis:secret",
    "redis://",
    "redis://:secret@",
    "redis:///0",
    "redis://:sec/ret@host",
    "redis://:sec#ret@host",
    "redis://:sec?ret@host",
    "redis://user:12/34secret@host",
    "redis://:secret%zz@host",
    "redis://:secret%ff@host",
    "redis://:secret%00@host",
    "redis://:secret@host:99999",
    "redis://:secret@host:0",
    "redis://:secret@host/secret",
    "redis://:secret@host/-1",
    "redis://:secret@host/0/1",
    "redis://:secret@host?db=1",
    "redis://:secret@host/0#secret",
    "redis://:secret@ho st",
    "redis://:secret@h1,redis://h2",
    "unix:",
    "unix:secret.sock",
    "unix://secret",
    "unix://secret/a.sock",
    "unix:/",
    "unix:/a.sock?secret=1",
    "unix:/a.sock?db=secret",
    "unix:/a.sock#secret",
  ];
  for (const url of wrong) {
    assert.throws(() => parseRedisUrl(url), (error: unknown) => {
      assert(error instanceof TypeError, url);
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /sec|ret/, url);
      return true;
    });
  }
});

Deno.test("parseRedisUrl() gives back any user and password that were percent-encoded", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) =>
    !value.includes("\0")
  );
  fc.assert(fc.property(text, text, fc.boolean(), (username, password, unix) => {
    const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
    const address = parseRedisUrl(unix ? `unix://${login}@/s` : `redis://${login}@h`);
    assert.equal(address.username, username);
    assert.equal(address.password, password);
  }));
});

Deno.test("parseRedisUrl() never throws more than a TypeError, nor a part of the text", () => {
  const many = ["redis+sentinel://", "rediss+cluster://", "redis+sentinel://a:b@h,"];
  const start = fc.constantFrom(
    "redis://",
    "rediss://",
    "unix:",
    "unix://",
    "redis://a:b@",
    ...many,
    "",
  );
  fc.assert(fc.property(start, fc.string({ unit: "binary" }), (scheme, rest) => {
    try {
      parseRedisUrl(`${scheme}${rest}s3cr3t@`);
    } catch (error) {
      assert(error instanceof TypeError);
      assert.doesNotMatch(error.message, /s3cr3t/);
    }
  }));
});

Deno.test("describeRedisAddress() names where, and never who", () => {
  const describe = (url: string) => describeRedisAddress(parseRedisUrl(url));
  assert.equal(describe("rediss://u:p@h/2"), "rediss://h:6379/2");
  assert.equal(describe("redis://:p@[::1]:1"), "redis://[::1]:1/0");
  assert.equal(describe("unix://u:p@/a%20b.sock?db=1"), "unix:/a%20b.sock?db=1");
  const sentinel = "rediss+sentinel://h1:26379,[::1]:7/m%2F/2";
  assert.equal(describe(sentinel.replace("://", "://u:p@")), sentinel);
  assert.equal(describe("redis+cluster://:p@h1,h2"), "redis+cluster://h1:6379,h2:6379");
  for (const url of [sentinel, "redis://h:1/0", "unix:/a%20b.sock?db=1"]) {
    assert.deepEqual(parseRedisUrl(describe(url)), parseRedisUrl(url), "which it reads again");
  }
});
