/** Types of the parts of std/testing/mock that std_testing.ts gives out. */

/** One call of a spy. */
export interface SpyCall<Args extends unknown[] = unknown[], Return = unknown> {
  readonly args: Args;
  readonly returned?: Return;
  readonly error?: Error;
  readonly self?: unknown;
}

/** A function that records its calls. */
export interface Spy<Args extends unknown[] = unknown[], Return = unknown> {
  (...args: Args): Return;
  readonly calls: SpyCall<Args, Return>[];
  readonly restored: boolean;
  restore(): void;
}

/** A method's spy or stand-in, put back by disposal. */
export interface MethodSpy<Args extends unknown[] = unknown[], Return = unknown>
  extends Spy<Args, Return>, Disposable {}

type Method = (...args: never[]) => unknown;
type Methods<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T];
type MethodOf<T, K extends keyof T> = T[K] extends (...args: infer Args) => infer Return
  ? { args: Args; returns: Return }
  : never;

/** Wraps a function, or a method of an object in place. */
export function spy(): Spy;
export function spy<Args extends unknown[], Return>(
  func: (...args: Args) => Return,
): Spy<Args, Return>;
export function spy<T, K extends Methods<T>>(
  self: T,
  property: K,
): MethodSpy<MethodOf<T, K>["args"], MethodOf<T, K>["returns"]>;

/** Puts a stand-in in place of an object's method. */
export function stub<T, K extends Methods<T>>(
  self: T,
  property: K,
  func?: (...args: MethodOf<T, K>["args"]) => MethodOf<T, K>["returns"],
): MethodSpy<MethodOf<T, K>["args"], MethodOf<T, K>["returns"]>;

/** A function that gives these values one after the other; errors are thrown. */
export function returnsNext<T>(values: Iterable<T | Error>): () => T;
/** As returnsNext, in promises. */
export function resolvesNext<T>(values: Iterable<T | Error>): () => Promise<T>;

/** Fails unless the spy was called this often. */
export function assertSpyCalls(spy: { calls: readonly unknown[] }, expected: number): void;
/** Fails unless that call had these arguments or result. */
export function assertSpyCall(
  spy: { calls: readonly unknown[] },
  callIndex: number,
  expected?: { args?: unknown[]; returned?: unknown; self?: unknown },
): void;
