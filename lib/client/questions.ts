import type { Message } from "./message.ts";
import { payloadOf, retrying } from "./publisher.ts";
import { RunnelError } from "./runnel_error.ts";
import type { Transport } from "./transport.ts";
import { unique } from "./wait.ts";
import type { WorkOptions } from "./worker.ts";

/** Options of a request. */
export interface RequestOptions {
  /** How long to wait for the reply, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  readonly key?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

/** Options of whoever answers requests. */
export interface ServeOptions<T = unknown> extends WorkOptions<T> {
  /** Those who answer share the requests as a group. @default "repliers" */
  readonly group?: string;
}

/** Asks, and resolves to the answer of `POST /request`. A request is sent once: it may have been answered. */
export function ask(
  transport: Transport,
  { topic, data, replies, signal, timeoutMs = 30_000, ...rest }: RequestOptions & {
    readonly topic: string;
    readonly data: unknown;
    readonly replies?: number;
  },
): Promise<unknown> {
  const json = { topic, timeoutMs, replies, ...rest, ...payloadOf(data) };
  return transport.call("request", { json, signal, timeoutMs: timeoutMs + 10_000 });
}

/** Replies to a request's message, where somebody still waits. */
export async function answer(
  transport: Transport,
  { replyTo }: Message,
  data: unknown,
): Promise<void> {
  if (!replyTo) return;
  const json = { replyTo, idempotencyKey: unique(), ...payloadOf(data) };
  try {
    await retrying(() => transport.call("reply", { json }), { attempts: 5 });
  } catch (error) {
    if (!(error instanceof RunnelError) || error.code !== "requester_gone") throw error;
  }
}
