/** What answers told so far, so that later requests can refer to it. */

/** A lease as `/pull` gave it. */
export interface KnownLease {
  readonly topic: string;
  readonly group: string;
  readonly lease: string;
  readonly ids: readonly string[];
}

/** The last few of something. */
class Pool<T> {
  readonly #items: T[];
  readonly #most: number;
  #next = 0;

  constructor(first: T, most = 24) {
    this.#items = [first];
    this.#most = most;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#most;
  }
}

const FIELDS = /"(id|token|replyTo|lease|subscription|next)":"([^"\\]{1,300})"/g;
/** Enough of an answer to learn from. */
const LEARNED = 2_000;

/** Ids, leases and the like of earlier answers: bounded, and never empty. */
export class Known {
  readonly #ids = new Pool("1767225600000-1");
  readonly #tokens = new Pool("AAAAAAAAAAAAAAAAAAAA");
  readonly #inboxes = new Pool("$inbox.00000000-0000-4000-8000-000000000000", 1);
  readonly #subscriptions = new Pool("none", 8);
  readonly #leaseTexts = new Pool("1");
  readonly #leases = new Pool<KnownLease>({ topic: "a", group: "g", lease: "1", ids: ["1-1"] }, 8);

  /** Message ids. */
  get ids(): readonly string[] {
    return this.#ids.items;
  }

  /** What cancels messages that are kept for later. */
  get tokens(): readonly string[] {
    return this.#tokens.items;
  }

  /** Where replies go. */
  get inboxes(): readonly string[] {
    return this.#inboxes.items;
  }

  /** Names of subscriptions, most of which have ended. */
  get subscriptions(): readonly string[] {
    return this.#subscriptions.items;
  }

  /** Leases that may belong to anything. */
  get leaseTexts(): readonly string[] {
    return this.#leaseTexts.items;
  }

  /** Leases with what they belong to. */
  get leases(): readonly KnownLease[] {
    return this.#leases.items;
  }

  /** Learns from the text of an answer, which may be cut off; `asked` is what was sent. */
  learn(text: string, asked: unknown): void {
    for (const [, name = "", value = ""] of text.slice(0, LEARNED).matchAll(FIELDS)) {
      this.#learn(name, value);
    }
    const lease = leaseOf(text, asked);
    if (lease !== undefined) this.#leases.add(lease);
  }

  #learn(name: string, value: string): void {
    if (name === "id" || name === "next") this.#ids.add(value);
    else if (name === "token") this.#tokens.add(value);
    else if (name === "replyTo") this.#inboxes.add(value);
    else if (name === "subscription") this.#subscriptions.add(value);
    else this.#leaseTexts.add(value);
  }
}

function leaseOf(text: string, asked: unknown): KnownLease | undefined {
  if (!text.startsWith('{"lease":"')) return undefined;
  if (typeof asked !== "object" || asked === null) return undefined;
  if (!("topic" in asked) || !("group" in asked)) return undefined;
  const { lease, messages } = JSON.parse(text);
  const ids = messages.map(({ id }: { id: string }) => id);
  return { topic: String(asked.topic), group: String(asked.group), lease, ids };
}
