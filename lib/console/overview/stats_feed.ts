import { createClient, RunnelError, type Subscription } from "../../client/mod.ts";
import { type Api, ApiError } from "../api.ts";
import type { Connection } from "../connection.ts";
import { Store } from "../store.ts";
import { History } from "./history.ts";
import type { Stats } from "../../codec/stats.ts";

/** How it stands with the reports. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Connected, and yet nobody reports. */
  | { readonly kind: "silent" }
  | { readonly kind: "refused"; readonly error: RunnelError };

const STATS = "$stats";
const PATIENCE_MS = 8_000;

/** Follows what the instances report, for as long as somebody is signed in: one stream, whatever page is shown. */
export class StatsFeed {
  readonly state: Store<FeedState> = new Store<FeedState>({ kind: "connecting" });
  readonly history: History = new History();
  readonly #api: Api;
  readonly #connection: Connection;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, connection: Connection) {
    this.#api = api;
    this.#connection = connection;
  }

  /** Follows from now on; what it returns ends that. */
  start(): () => void {
    const { token } = this.#api;
    this.state.value = { kind: "connecting" };
    const client = createClient({ url: this.#api.base, ...(token === undefined ? {} : { token }) });
    const subscription: Subscription = client.subscribe(STATS, {
      onMessage: ({ data, type }) => {
        // the server is who publishes there
        if (type === "stats") this.#take(data as Stats);
      },
      onState: (state) => {
        if (state.status === "live") {
          this.#connection.stream.value = "open";
          this.#wait();
        } else if (state.status === "waiting") {
          clearTimeout(this.#patience);
          this.#connection.stream.value = "broken";
          this.state.value = { kind: "connecting" };
          void this.#connection.check();
        } else if (state.status === "closed" && state.error instanceof RunnelError) {
          this.#connection.stream.value = undefined;
          this.state.value = { kind: "refused", error: state.error };
          if (state.error.status === 401) {
            const { status, code, message } = state.error;
            this.#api.onUnauthorized(new ApiError(status, code, message));
          }
        }
      },
    });
    return () => {
      clearTimeout(this.#patience);
      this.#connection.stream.value = undefined;
      subscription.close();
    };
  }

  #take(report: Stats): void {
    this.history.add(report);
    this.#api.heardAt.value = Date.now();
    clearTimeout(this.#patience);
    if (this.state.value.kind !== "live") this.state.value = { kind: "live" };
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.state.value = { kind: "silent" }, PATIENCE_MS);
  }
}
