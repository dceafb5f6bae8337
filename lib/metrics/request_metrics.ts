import { Histogram } from "./histogram.ts";

/** Answers of one route, by the class of their status. */
export class RouteMetrics {
  /** The route's path as it is declared, `publish/:topic`. */
  readonly route: string;
  readonly method: string;
  /** How many answers began with 1, 2, 3, 4 and 5, at these places. */
  readonly classes: number[] = [0, 0, 0, 0, 0, 0];
  /** Until the answer began. */
  readonly time = new Histogram();

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }
}

const NOT_FOUND = 404;

/** What became of requests. There are as many rows as there are routes. */
export class RequestMetrics {
  readonly #routes = new Map<object, RouteMetrics>();
  readonly #others = new RouteMetrics("other", "other");
  /** All of them. */
  total = 0;
  /** Those that were answered with 4xx; what was looked for and is not there was not refused. */
  refused = 0;
  /** Those that were answered with 5xx. */
  failed = 0;

  /** Notes an answer; `route` is undefined where no route had it. */
  note(
    route: { readonly method: string; readonly path: string } | undefined,
    { status, ms }: { status: number; ms: number },
  ): void {
    const own = route === undefined ? this.#others : this.#of(route);
    const place = Math.min(Math.floor(status / 100), 5);
    own.classes[place] = (own.classes[place] ?? 0) + 1;
    own.time.observe(ms);
    this.total++;
    if (place === 4 && status !== NOT_FOUND) this.refused++;
    if (place === 5) this.failed++;
  }

  /** What there is of each route that was used. */
  all(): RouteMetrics[] {
    return [...this.#routes.values(), this.#others];
  }

  #of(route: { readonly method: string; readonly path: string }): RouteMetrics {
    let own = this.#routes.get(route);
    if (own === undefined) {
      own = new RouteMetrics(route.method, `/${route.path}`);
      this.#routes.set(route, own);
    }
    return own;
  }
}
