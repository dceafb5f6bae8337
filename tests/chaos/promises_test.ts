import assert from "node:assert/strict";
import type { Fault } from "../fault/verdict.ts";
import { brokenPromises } from "./promises.ts";

const LOST: Fault = { kind: "lost", detail: "" };
const TOLD: Fault = { kind: "never stored", detail: "", announced: true };
const UNTOLD: Fault = { kind: "never stored", detail: "", announced: false };
const FAILOVER: Fault = { kind: "gap announced", detail: `{"reason":"failover"}` };
const RETENTION: Fault = { kind: "gap announced", detail: `{"reason":"retention"}` };
const MISSED: Fault = { kind: "missed", detail: "" };
const ALL = [LOST, TOLD, UNTOLD, FAILOVER, RETENTION, MISSED];

Deno.test("every fault breaks a promise where nothing fails over", () => {
  assert.deepEqual(brokenPromises(ALL, { failsOver: false, durability: "stored" }), ALL);
});

Deno.test("a failover may take what was only stored, if all who saw it are told", () => {
  const broken = brokenPromises(ALL, { failsOver: true, durability: "stored" });
  assert.deepEqual(broken, [UNTOLD, RETENTION, MISSED]);
});

Deno.test("a failover may not take what replicas have", () => {
  const broken = brokenPromises(ALL, { failsOver: true, durability: "replicated" });
  assert.deepEqual(broken, [LOST, UNTOLD, RETENTION, MISSED]);
});
