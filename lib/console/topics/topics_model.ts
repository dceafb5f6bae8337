import type { Api } from "../api.ts";
import { Store } from "../store.ts";
import { TopicDetails } from "./topic_details.ts";
import { TopicList } from "./topic_list.ts";
import type { TopicRow } from "./topic_rows.ts";

/** Topics that are searched in the browser, once all of them are there. */
const SEARCHED_HERE = 1_000;

/** What is listed, and what is searched: it stays while other pages are shown. */
export class TopicsModel {
  readonly search: Store<string> = new Store("");
  readonly details: TopicDetails;
  readonly #api: Api;
  readonly #all: TopicList;
  #found: { readonly prefix: string; readonly list: TopicList } | undefined;

  constructor(api: Api) {
    this.#api = api;
    this.#all = new TopicList(api, "");
    this.details = new TopicDetails(api);
  }

  /** Whether what is searched is found by what names contain; else by what they begin with. */
  get isSearchedHere(): boolean {
    const { isLoaded, isComplete, rows } = this.#all.state.value;
    return isLoaded && isComplete && rows.length <= SEARCHED_HERE;
  }

  /** The list that a search reads. */
  listOf(search: string): TopicList {
    if (search === "" || this.isSearchedHere) return this.#all;
    if (this.#found?.prefix !== search) {
      this.#found = { prefix: search, list: new TopicList(this.#api, search) };
    }
    return this.#found.list;
  }

  /** The rows of its list that a search finds. */
  matching(rows: readonly TopicRow[], search: string): readonly TopicRow[] {
    if (search === "" || !this.isSearchedHere) return rows;
    const wanted = search.toLowerCase();
    return rows.filter(({ topic }) => topic.toLowerCase().includes(wanted));
  }
}
