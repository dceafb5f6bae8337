import { Hub, type HubNews } from "./hub.ts";
import { isVisible, type Locks, onPage, SLEEPING, WAKING } from "./page.ts";
import { RunnelError, type RunnelErrorFields } from "./runnel_error.ts";
import type { Transport } from "./transport.ts";
import { aborted, onAbort, unique } from "./wait.ts";

/** Options of {@link Tabs}. */
export interface TabsOptions {
  readonly transport: Transport;
  readonly heartbeatMs: number;
  readonly locks: Locks;
  /** Tabs with the same one share. */
  readonly name: string;
}

/** One who takes what the hub tells. */
export interface Member {
  readonly topics: readonly string[];
  /** Takes news, each of which came right after the one before. */
  hear(news: HubNews): void;
  /** Some news may be missing, until something is told to be open again. */
  miss(): void;
}

/** What goes over the channel: a tab's wishes, or a leader's news. */
interface Post extends HubNews {
  readonly tab: string;
  /** Who leads, as far as the tab knows; of leaders, later ones have greater numbers. */
  readonly term: number;
  /** Counts a leader's news. */
  readonly n?: number;
  readonly wants?: readonly string[];
  /** What the error of a state says beside its message. */
  readonly fields?: RunnelErrorFields | undefined;
}

/** How long a leader may take to say that it is there, in milliseconds. */
const PATIENCE_MS = 3_000;
const LOOK_MS = 1_000;

/**
 * One tab among those of its origin, of which one leads: it has the stream (see {@link Hub}), and tells the others over a
 * BroadcastChannel. A Web Lock says who it is, so that the next one leads as soon as it is gone. One that holds the lock
 * and says nothing, as a tab that was frozen, loses it.
 */
export class Tabs {
  readonly #options: TabsOptions;
  readonly #members = new Set<Member>();
  #id = "";
  #channel: BroadcastChannel | undefined;
  #left = new AbortController();
  #hub: Hub | undefined;
  #abdicate = () => {};
  #unwatch = () => {};
  #term = 0;
  #n = 0;
  #heard = 0;
  #asked = 0;

  constructor(options: TabsOptions) {
    this.#options = options;
  }

  /** Lets one take part. */
  add(member: Member): void {
    this.#members.add(member);
    if (this.#members.size > 1) return this.#ask();
    const unsleep = onPage(SLEEPING, () => this.#leave());
    const unwake = onPage(WAKING, () => this.#join());
    this.#unwatch = () => {
      unsleep();
      unwake();
    };
    this.#join();
  }

  /** Lets it go. */
  delete(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return this.#ask();
    this.#unwatch();
    this.#leave();
  }

  #join(): void {
    if (this.#channel) return;
    this.#id = unique();
    const { signal } = this.#left = new AbortController();
    this.#channel = new BroadcastChannel(this.#options.name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    const timer = setInterval(() => this.#look(), LOOK_MS);
    onAbort(signal, () => clearInterval(timer));
    // whoever leads sees by it that this tab is there
    this.#options.locks.request(this.#lockOf(this.#id), { signal }, () => aborted(signal)).catch(
      () => {},
    );
    this.#stand();
    this.#ask();
  }

  #leave(): void {
    if (!this.#channel) return;
    this.#depose();
    this.#post({ wants: [] });
    this.#channel.close();
    this.#channel = undefined;
    this.#asked = 0;
    this.#left.abort();
    this.#miss();
  }

  /** Says what this tab wants, and asks whoever leads to say what there is. */
  #ask(): void {
    if (!this.#channel) return;
    const wants = [...this.#members].flatMap(({ topics }) => topics);
    if (this.#hub) return void this.#hub.want(this.#id, wants);
    this.#asked ||= Date.now();
    this.#post({ wants });
  }

  /** Leads as soon as nobody else does; with `steal` at once. */
  #stand(steal = false): void {
    const { locks, name } = this.#options;
    const { signal } = this.#left;
    // it may have left just now
    const lead = async () => void await (signal.aborted || this.#lead());
    locks.request(name, steal ? { steal } : { signal }, lead).catch(() => {}).then(() => {
      // over, or taken away by another; what was asked for without force is still in the line
      if (signal.aborted) return;
      this.#depose();
      if (!steal) this.#stand();
    });
  }

  /** Resolves when it does not lead any more. */
  #lead(): Promise<void> {
    this.#term = Math.max(Date.now(), this.#term + 1);
    this.#n = 0;
    const { transport, heartbeatMs } = this.#options;
    this.#hub = new Hub({ transport, heartbeatMs, tell: (news) => this.#tell(news) });
    this.#miss();
    // all others say what they want
    this.#tell({ open: [] });
    this.#ask();
    return new Promise((resolve) => this.#abdicate = resolve);
  }

  #depose(): void {
    if (!this.#hub) return;
    this.#hub.close();
    this.#hub = undefined;
    this.#abdicate();
    this.#miss();
    this.#ask();
  }

  #tell(news: HubNews): void {
    this.#post({ ...news, n: ++this.#n });
    this.#take(news);
  }

  #post(post: HubNews & Pick<Post, "n" | "wants">): void {
    const { state } = post;
    // of an error only its message gets through
    const fields = state?.status === "waiting" ? { ...state.error, cause: undefined } : undefined;
    this.#channel?.postMessage({ ...post, fields, tab: this.#id, term: this.#term });
  }

  #hear({ tab, term, n = 0, wants, fields, ...news }: Post): void {
    if (term > this.#term) {
      this.#term = term;
      // whatever comes first, some may be missing
      this.#n = NaN;
      this.#depose();
    }
    if (wants) return this.#want(tab, wants);
    if (term < this.#term || this.#hub) return;
    if (n !== this.#n + 1) {
      this.#miss();
      this.#ask();
    }
    this.#n = n;
    const { state } = news;
    if (!fields || state?.status !== "waiting") return this.#take(news);
    const error = new RunnelError(state.error.message, fields);
    this.#take({ ...news, state: { ...state, error } });
    // timers of a leader that is not seen may be late
    if (isVisible()) setTimeout(() => this.#ask(), state.retryAt - Date.now());
  }

  #want(tab: string, wants: readonly string[]): void {
    const hub = this.#hub;
    if (!hub?.want(tab, wants)) return;
    const { locks } = this.#options;
    const { signal } = this.#left;
    // it is to be had when that tab is gone, whatever became of it
    const gone = async () => void await (this.#hub === hub && hub.want(tab, []));
    locks.request(this.#lockOf(tab), { signal }, gone).catch(() => {});
  }

  #lockOf(tab: string): string {
    return `${this.#options.name} ${tab}`;
  }

  #take(news: HubNews): void {
    this.#heard = Date.now();
    this.#asked = 0;
    for (const member of this.#members) member.hear(news);
  }

  #miss(): void {
    for (const member of this.#members) member.miss();
  }

  /** Whoever leads says something at each heartbeat, and whenever it is asked. */
  #look(): void {
    const now = Date.now();
    if (this.#hub) return;
    if (this.#asked && now - this.#asked > PATIENCE_MS * (1 + Math.random())) {
      this.#asked = now;
      this.#stand(true);
    } else if (now - this.#heard > this.#options.heartbeatMs * 1.5) this.#ask();
  }
}
