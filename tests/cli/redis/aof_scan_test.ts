import assert from "node:assert/strict";
import { type AofScan, scanAof } from "../../../lib/cli/redis/aof_scan.ts";

const encoder = new TextEncoder();

/** A command as Redis writes it. */
const command = (...words: string[]): string =>
  `*${words.length}\r\n` +
  words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`).join("");

const transaction = (...commands: string[]): string =>
  [command("MULTI"), ...commands, command("EXEC")].join("");

const SET = command("SET", "k", "v");

async function scan(content: string | Uint8Array): Promise<AofScan> {
  const path = await Deno.makeTempFile({ prefix: "runnel-aof-" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
    return await scanAof(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Writes of every kind: values hold what elsewhere would begin or end something, and bytes that are no text. */
const WRITES = [
  command("SELECT", "0"),
  SET,
  "#TS:1790000000\r\n",
  transaction(SET, command("XADD", "s", "1-1", "m", transaction(SET))),
  command("SET", "é", "\r\n*1\r\n$4\r\nEXEC\r\n"),
  transaction(command("SET", "\0", "\0\0\0")),
  command("DEL", ""),
];

Deno.test("scanAof() finds the last whole write wherever a file was cut", async () => {
  const bytes = encoder.encode(WRITES.join(""));
  const ends = [0];
  for (const write of WRITES) ends.push((ends.at(-1) ?? 0) + encoder.encode(write).length);
  for (let size = 0; size <= bytes.length; size++) {
    const whole = ends.findLast((end) => end <= size);
    const state = whole === size ? "whole" : "torn";
    assert.deepEqual(await scan(bytes.subarray(0, size)), { size, whole, state }, `${size} bytes`);
  }
});

Deno.test("scanAof() takes zeros at the end for what a power cut left of a write", async () => {
  for (const torn of ["", "*", SET.slice(0, -8), command("MULTI") + SET]) {
    const { whole, state } = await scan(SET + torn + "\0".repeat(5_000));
    assert.deepEqual([whole, state], [SET.length, "torn"], torn);
  }
  assert.deepEqual(await scan("\0\0"), { size: 2, whole: 0, state: "torn" });
});

Deno.test("scanAof() tells a file that is wrong from one that is torn", async () => {
  for (
    const wrong of ["x", "*x\r\n", "*1\n", "*\r\n", "*1\r\n+OK\r\n", "*1\r\n$1\r\nabc\r\n", "\0\0"]
  ) {
    const { whole, state } = await scan(SET + wrong + SET);
    assert.deepEqual([whole, state], [SET.length, "broken"], JSON.stringify(wrong));
  }
});

Deno.test("scanAof() leaves what follows a transaction that an earlier start left open", async () => {
  const open = command("MULTI") + SET;
  const { length } = open;
  assert.equal((await scan(open + transaction(SET))).state, "whole");
  const { whole, state } = await scan(open + transaction(SET) + command("MULTI") + SET);
  assert.deepEqual([whole, state], [length + transaction(SET).length, "torn"]);
});

Deno.test("scanAof() goes through files and commands that are larger than what it reads at once", async () => {
  const large = command("SET", "k", "x".repeat(3_000_000));
  const many = transaction(
    ...Array.from({ length: 50_000 }, (_, i) => command("SET", `${i}`, "v")),
  );
  const file = many + large + many;
  assert.deepEqual(await scan(file), { size: file.length, whole: file.length, state: "whole" });
  const { whole, state } = await scan(file.slice(0, -1));
  assert.deepEqual([whole, state], [many.length + large.length, "torn"]);
});

Deno.test("scanAof() reads an empty file", async () => {
  assert.deepEqual(await scan(""), { size: 0, whole: 0, state: "whole" });
});
