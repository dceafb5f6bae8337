/** Takes spans as a collector of OpenTelemetry does: OTLP over HTTP, as JSON. */

/** A span as far as tests look at it. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** 2 is a server's, 4 a producer's, 5 a consumer's. */
  readonly kind: number;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
  /** Texts only. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A collector on a port of its own. */
export interface SpanCollector extends AsyncDisposable {
  /** Environment of a process that sends its spans here, soon after each has ended. */
  readonly env: Readonly<Record<string, string>>;
  /** The spans so far. */
  readonly spans: readonly CollectedSpan[];
}

interface RawSpan extends Omit<CollectedSpan, "attributes"> {
  readonly attributes?: readonly { key: string; value: { stringValue?: string } }[];
}

interface Export {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

/** Starts a collector. */
export function startCollector(): SpanCollector {
  const spans: CollectedSpan[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      if (new URL(request.url).pathname === "/v1/traces") spans.push(...spansOf(JSON.parse(body)));
      return Response.json({});
    },
  );
  return {
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_DENO_CONSOLE: "ignore",
    },
    spans,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function spansOf({ resourceSpans = [] }: Export): CollectedSpan[] {
  const all = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  return all.map(({ attributes = [], ...span }) => ({
    ...span,
    attributes: Object.fromEntries(
      attributes.map(({ key, value }) => [key, value.stringValue ?? ""]),
    ),
  }));
}
