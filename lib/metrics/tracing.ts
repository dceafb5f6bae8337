import type { Context, Link, Span, Tracer } from "@opentelemetry/api";

type Api = typeof import("@opentelemetry/api");

/** What is sent. */
export interface Sending {
  /** The topic, where it is one. */
  readonly topic?: string;
  /** How many messages, where they go together. */
  readonly count?: number;
  /** The trace context that the message itself brought. */
  readonly own?: string | undefined;
  /** The trace context of the request that brought it. */
  readonly header?: string | undefined;
}

/** What is given to somebody. */
export interface Received {
  readonly topic: string;
  /** Null where it is not stored. */
  readonly id: string | null;
  /** The trace context of whoever published it; undefined where it has none. */
  readonly traceparent: string | undefined;
}

/** Most links of a span. */
const LINKS_MOST = 128;

/**
 * Spans for what is published and for what is delivered, by the OpenTelemetry that this runtime was started with. There
 * is none where nobody collects spans; see {@link loadTracing}.
 */
export class Tracing {
  readonly #api: Api;
  readonly #tracer: Tracer;

  constructor(api: Api) {
    this.#api = api;
    this.#tracer = api.trace.getTracer("runnel");
  }

  /** Begins the span of what is published. */
  send({ topic, count, own, header }: Sending): SentSpan {
    const { context, trace, SpanKind } = this.#api;
    const active = context.active();
    const parent = own !== undefined
      ? this.#contextOf(own)
      : trace.getSpan(active) !== undefined
      ? active
      : this.#contextOf(header);
    const span = this.#tracer.startSpan(`publish ${topic ?? "batch"}`, {
      kind: SpanKind.PRODUCER,
      attributes: {
        "messaging.system": "runnel",
        "messaging.operation.type": "send",
        ...(topic === undefined ? {} : { "messaging.destination.name": topic }),
        ...(count === undefined ? {} : { "messaging.batch.message_count": count }),
      },
    }, parent);
    return new SentSpan(this.#api, span);
  }

  /** Notes what was given to somebody, in the trace of whoever published it. */
  receive(messages: readonly Received[], { by }: { by: string }): void {
    const { SpanKind } = this.#api;
    for (const { topic, id, traceparent } of messages) {
      const span = this.#tracer.startSpan(`deliver ${topic}`, {
        kind: SpanKind.CONSUMER,
        attributes: {
          "messaging.system": "runnel",
          "messaging.operation.type": "receive",
          "messaging.destination.name": topic,
          "messaging.consumer.group.name": by,
          ...(id === null ? {} : { "messaging.message.id": id }),
        },
      }, this.#contextOf(traceparent));
      span.end();
    }
  }

  #contextOf(traceparent: string | undefined): Context {
    const { ROOT_CONTEXT, trace } = this.#api;
    const spanContext = traceparent === undefined ? undefined : spanContextOf(traceparent);
    return spanContext === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, spanContext);
  }
}

/** The span of what is published. */
export class SentSpan {
  readonly #api: Api;
  readonly #span: Span;
  #links = 0;

  constructor(api: Api, span: Span) {
    this.#api = api;
    this.#span = span;
  }

  /** What the messages are to carry. */
  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  /** Links it to the trace that a message of a batch brought with it. */
  link(traceparent: string): void {
    if (this.#links++ >= LINKS_MOST) return;
    const link: Link = { context: spanContextOf(traceparent) };
    this.#span.addLink?.(link);
  }

  /** It is done; `error` is why it was not. */
  end(error?: unknown): void {
    if (error !== undefined) {
      this.#span.setStatus({
        code: this.#api.SpanStatusCode.ERROR,
        message: error instanceof Error ? error.message : "failed",
      });
    }
    this.#span.end();
  }
}

/** The trace that messages go in. */
export interface CarriedTrace {
  /** What a message is to carry, where it does not bring its own; undefined where there is nothing. */
  readonly traceparent: string | undefined;
  /** Notes the trace context that a message of several brought with it. */
  link(own: string): void;
}

/**
 * Publishes within a span, where spans are collected.
 *
 * @throws what `send` throws
 */
export function sending<T>(
  tracing: Tracing | undefined,
  what: Sending,
  send: (trace: CarriedTrace) => Promise<T>,
): Promise<T> {
  if (tracing !== undefined) return sendingIn(tracing.send(what), send);
  const traceparent = what.own === undefined ? what.header : undefined;
  return send({ traceparent, link: ignoreLink });
}

function ignoreLink(): void {}

async function sendingIn<T>(
  span: SentSpan,
  send: (trace: CarriedTrace) => Promise<T>,
): Promise<T> {
  const { traceparent } = span;
  try {
    const result = await send({ traceparent, link: (own) => span.link(own) });
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** Where what collects spans is registered, by the runtime or by a program. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** The tracing of this runtime; undefined where nobody collects spans, so that nothing is loaded for it. */
export async function loadTracing(): Promise<Tracing | undefined> {
  const registered: unknown = Reflect.get(globalThis, REGISTERED);
  const isOn = typeof registered === "object" && registered !== null && "trace" in registered;
  return isOn ? new Tracing(await import("@opentelemetry/api")) : undefined;
}

function spanContextOf(traceparent: string) {
  const [, traceId = "", spanId = "", flags = "0"] = traceparent.split("-");
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}
