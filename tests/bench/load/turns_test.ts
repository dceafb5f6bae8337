import { ReadingTurns } from "./turns.ts";

Deno.test("ReadingTurns lets every reader read again and again, and nobody wait at the end", async () => {
  const turns = new ReadingTurns();
  const readers = Array.from({ length: 120 }, () => turns.seat());
  await Promise.all(readers.map((turn) => turn()));
  await Promise.all(readers.map((turn) => turn()));
  const waiting = Promise.all(readers.map((turn) => turn()));
  turns[Symbol.dispose]();
  await waiting;
  await Promise.all(readers.map((turn) => turn()));
});
