import { type Api, ApiError } from "./api.ts";
import { Store } from "./store.ts";

/** How it stands between this page and Runnel. */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "unreachable" }
  /** Runnel answers, and Redis does not. */
  | { readonly kind: "away"; readonly detail: string }
  /** Runnel answers that it is not ready, for another reason. */
  | { readonly kind: "unready"; readonly detail: string }
  /** Some of several Redis servers do not answer. */
  | { readonly kind: "degraded"; readonly detail: string };

interface Readiness {
  readonly status: string;
  readonly shards?: readonly { readonly shard: number; readonly status: string }[];
}

const EVERY_MS = 5_000;
const EVERY_MS_WHEN_WRONG = 1_500;
const TIMEOUT_MS = 4_000;
/** What was heard longer ago says nothing of now: a tab that slept, a link that is half open. */
const STALE_MS = 12_000;

/** Asks the server how it is, and knows when it last heard from it. */
export class Connection {
  readonly state: Store<ConnectionState> = new Store<ConnectionState>({ kind: "connecting" });
  /** How the stream fares that everything live comes by; undefined where there is none to be had. */
  readonly stream: Store<"open" | "broken" | undefined> = new Store<"open" | "broken" | undefined>(
    undefined,
  );
  readonly #api: Api;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: Promise<void> | undefined;
  #isWatching = false;

  constructor(api: Api) {
    this.#api = api;
  }

  /** When it heard last from the server, by the browser's clock; undefined where it did not yet. */
  get heardAt(): Store<number | undefined> {
    return this.#api.heardAt;
  }

  /** Why the server lets in nobody, though it is there; undefined where it does. */
  get unconfigured(): Store<string | undefined> {
    return this.#api.unconfigured;
  }

  /** Asks from now on, while the page is seen; what it returns ends that. */
  watch(): () => void {
    this.#isWatching = true;
    const look = () => {
      if (document.hidden) return;
      // until the answer is there it may not claim what was true before
      if (Date.now() - (this.heardAt.value ?? 0) > STALE_MS) this.state.value = CONNECTING;
      void this.check();
    };
    look();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      this.#isWatching = false;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }

  /** Asks now, as when a stream broke; calls that come meanwhile get the same answer. */
  check(): Promise<void> {
    return this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      clearTimeout(this.#timer);
      if (!this.#isWatching) return;
      const isWrong = this.state.value.kind !== "live";
      this.#timer = setTimeout(() => {
        if (!document.hidden) void this.check();
      }, isWrong ? EVERY_MS_WHEN_WRONG : EVERY_MS);
    });
  }

  async #ask(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      this.#set(stateOf(await this.#api.call<Readiness>("GET", "health/ready", { signal })));
    } catch (error) {
      this.#set(failureOf(error));
    }
  }

  #set(state: ConnectionState): void {
    if (JSON.stringify(state) !== JSON.stringify(this.state.value)) this.state.value = state;
  }
}

const CONNECTING = { kind: "connecting" } as const;

function failureOf(error: unknown): ConnectionState {
  if (!(error instanceof ApiError) || error.status === 0) return { kind: "unreachable" };
  const { code, message: detail } = error;
  return { kind: code.startsWith("redis") ? "away" : "unready", detail };
}

function stateOf({ status, shards = [] }: Readiness): ConnectionState {
  if (status === "ready") return { kind: "live" };
  const down = shards.filter((shard) => shard.status !== "ready").map(({ shard }) => shard);
  const detail = down.length === 0
    ? "Some parts of it do not work"
    : `Of ${shards.length} Redis servers ${down.length} cannot be reached: number ${
      down.join(", ")
    }`;
  return { kind: "degraded", detail };
}
