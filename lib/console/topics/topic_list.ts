import type { Api, ApiError } from "../api.ts";
import { Store } from "../store.ts";
import { placePage, type TopicPage, type TopicRow } from "./topic_rows.ts";

/** Topics as far as they were loaded. */
export interface TopicListState {
  readonly rows: readonly TopicRow[];
  /** Whether the server knows of no more. */
  readonly isComplete: boolean;
  /** Whether some Redis servers are out of reach, with their topics. */
  readonly isMissing: boolean;
  /** Whether an answer has come. */
  readonly isLoaded: boolean;
  /** What went wrong at the last request. */
  readonly error?: ApiError;
}

/** Which rows are seen, from the first to before the end. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const PAGE = 200;
/** Most that the server gives at once. */
const PAGE_MOST = 1_000;
/** Rows beyond those seen that are asked for with them: topics that came meanwhile. */
const MARGIN = 20;

/** The topics that begin with something, loaded a page at a time, however many there are. */
export class TopicList {
  readonly state: Store<TopicListState> = new Store<TopicListState>({
    rows: [],
    isComplete: false,
    isMissing: false,
    isLoaded: false,
  });
  readonly #api: Api;
  readonly #prefix: string;
  #loading: Promise<void> | undefined;

  constructor(api: Api, prefix: string) {
    this.#api = api;
    this.#prefix = prefix;
  }

  /** Loads the page that follows, where there is one; calls that come meanwhile join it. */
  more(): Promise<void> {
    const { isComplete, isLoaded, rows } = this.state.value;
    if (isLoaded && isComplete) return Promise.resolve();
    return this.#loading ??= this.#load({ after: rows.at(-1)?.topic, limit: PAGE })
      .finally(() => this.#loading = undefined);
  }

  /** Asks again for the rows that are seen. */
  async refresh({ start, end }: Range): Promise<void> {
    const { rows } = this.state.value;
    const limit = Math.min(Math.max(end - start, 1) + MARGIN, PAGE_MOST);
    await this.#load({ after: rows[start - 1]?.topic, limit });
  }

  async #load({ after, limit }: { after: string | undefined; limit: number }): Promise<void> {
    const query = new URLSearchParams({
      limit: String(limit),
      ...(this.#prefix === "" ? {} : { prefix: this.#prefix }),
      ...(after === undefined ? {} : { after }),
    });
    try {
      const page = await this.#api.call<TopicPage>("GET", `topics?${query}`);
      this.#place(page, after);
    } catch (error) {
      // the API throws nothing else
      this.state.value = { ...this.state.value, error: error as ApiError };
    }
  }

  #place(page: TopicPage, after: string | undefined): void {
    const { rows, isComplete } = this.state.value;
    const at = Date.now();
    const placed = placePage(rows, page, { after, at });
    // a page of the middle does not tell whether there is more at the end
    const reachesEnd = page.next === undefined || placed.at(-1)?.topic === page.next;
    this.state.value = {
      rows: placed,
      isComplete: reachesEnd ? page.next === undefined : isComplete,
      isMissing: page.missing === true,
      isLoaded: true,
    };
  }
}
