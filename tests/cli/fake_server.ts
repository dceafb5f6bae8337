/** What a request said, apart from its body. */
export interface RequestHead {
  readonly url: URL;
  readonly headers: Headers;
}

/** A server whose answers a test decides, on a free loopback port. */
export interface FakeServer extends AsyncDisposable {
  /** Where it listens, as `--url` takes it. */
  readonly url: string;
  /** Every request it got, in order. */
  readonly requests: readonly RequestHead[];
}

/** Starts a {@link FakeServer}; the handler also gets the number of the request, from 0. */
export function startFakeServer(
  handler: (request: Request, number: number) => Response | Promise<Response>,
): FakeServer {
  const requests: RequestHead[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      // A copy: the headers of a request are gone once it is answered.
      requests.push({ url: new URL(request.url), headers: new Headers(request.headers) });
      return handler(request, requests.length - 1);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
