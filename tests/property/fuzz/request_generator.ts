/** Makes requests from a seed. */
import { Chance } from "./chance.ts";
import { type FuzzRequest, render, type WireRequest } from "./fuzz_request.ts";
import { draftRequest, type FuzzRoute, HERE } from "./fuzz_route.ts";
import type { Known } from "./known.ts";
import { mutate, mutateWire } from "./mutations.ts";
import { ODD_HEADERS, ODD_METHODS, ODD_TEXTS, ODD_VALUES } from "./oddities.ts";

/** Options of {@link RequestGenerator}. */
export interface RequestGeneratorOptions {
  readonly seed: number;
  readonly routes: readonly FuzzRoute[];
  /** Headers of all requests, such as credentials. @default none */
  readonly headers?: readonly (readonly [string, string])[];
}

/** Which part of all requests is valid, and which is garbage. */
const VALID = 0.3;
const GARBAGE = 0.12;

/**
 * The requests of a run: some valid, most wrong in one place or two, some nothing but garbage. The same number gives the
 * same request for the same seed, but for what it takes from earlier answers.
 */
export class RequestGenerator {
  readonly #options: RequestGeneratorOptions;
  readonly #known: Known;

  constructor(options: RequestGeneratorOptions, known: Known) {
    this.#options = options;
    this.#known = known;
  }

  /** What decides about request number `n`, also beyond its making. */
  chanceOf(n: number): Chance {
    return new Chance(Math.imul(this.#options.seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b));
  }

  /** Makes a request. */
  make(chance: Chance): WireRequest {
    if (chance.is(GARBAGE)) return this.#finish(render(garbage(chance)), chance);
    const route = chance.weighted(this.#options.routes);
    // what is changed must not be what valid requests share
    const request = structuredClone(draftRequest(route, chance, this.#known));
    if (chance.is(VALID / (1 - GARBAGE))) return this.#withHeaders(render(request));
    for (let i = chance.int(3); i >= 0; i--) mutate(request, chance);
    return this.#finish(render(request), chance);
  }

  #finish(wire: WireRequest, chance: Chance): WireRequest {
    const changed = chance.is(0.25) ? mutateWire(wire, chance) : wire;
    return chance.is(0.9) ? this.#withHeaders(changed) : this.#withOddHeaders(changed, chance);
  }

  /** The headers of all requests are gone, or not what they were. */
  #withOddHeaders(wire: WireRequest, chance: Chance): WireRequest {
    const { headers = [] } = this.#options;
    const odd = headers.map(([name, value]): [string, string] => {
      const at = chance.int(value.length);
      const cut = value.slice(0, at) + value.slice(at + 1 + chance.int(2));
      return chance.pick([
        [name, cut],
        ["cookie", `runnel=${cut}`],
        ["cookie", `runnel=${value.replace("Bearer ", "")}`],
        ["x-nothing", ""],
      ]);
    });
    return { ...wire, headers: [...wire.headers, ...odd] };
  }

  #withHeaders(wire: WireRequest): WireRequest {
    const { headers = [] } = this.#options;
    return headers.length === 0 ? wire : { ...wire, headers: [...wire.headers, ...headers] };
  }
}

function garbage(chance: Chance): FuzzRequest {
  return {
    route: "garbage",
    method: chance.pick(ODD_METHODS),
    origin: HERE,
    segments: chance.some(0, 5, () => chance.pick(ODD_TEXTS)),
    query: chance.some(0, 3, () => [chance.pick(ODD_TEXTS), chance.pick(ODD_TEXTS)]),
    headers: chance.some(0, 3, () => [...chance.pick(ODD_HEADERS)]),
    body: chance.pick([
      undefined,
      { kind: "json", value: chance.pick(ODD_VALUES) },
      { kind: "bytes", bytes: chance.bytes(chance.int(200)) },
    ]),
  };
}
