import { segmentsOf, starOf, type TopicPattern } from "../codec/topic_pattern.ts";

/** Most topics whose listeners are remembered. */
const REMEMBERED = 10_000;
/** Segments of a pattern that the tree has at most: what a client may send must not make it large. */
const DEEPEST = 8;
/** Patterns that come or go until all that is remembered is forgotten. */
const CHANGES = 1_000;

/** Those who listen to one pattern. */
interface Entry<T> {
  readonly pattern: TopicPattern;
  readonly listeners: Set<T>;
}

/** What was found for a topic. */
interface Found<T> {
  readonly sets: ReadonlySet<T>[];
  /** How many of the patterns that came since are among them where they match. */
  seen: number;
}

/** Where the patterns are that start with the same segments. */
interface Node<T> {
  /** By the next segment, in which `*` stands for any that is not empty. */
  readonly next: Map<string, Node<T>>;
  /** Patterns that end here, or go on with a segment of which only a part is a wildcard. */
  readonly entries: Set<Entry<T>>;
}

/**
 * Who listens to which pattern: a tree of the patterns' segments, up to the first that holds `**` or a wildcard beside
 * other letters. A topic is matched with the patterns on its way through the tree alone, and each pattern once, however
 * many listen to it; what it finds is remembered, and patterns that come later are matched
 * when the topic comes again.
 */
export class PatternIndex<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #root: Node<T> = nodeOf();
  readonly #remembered = new Map<string, Found<T>>();
  // since all was forgotten
  #came: Entry<T>[] = [];
  #went = 0;

  /** Adds a listener to a pattern. */
  add(pattern: TopicPattern, listener: T): void {
    const known = this.#entries.get(pattern.text);
    if (known !== undefined) {
      known.listeners.add(listener);
      return;
    }
    const entry = { pattern, listeners: new Set([listener]) };
    this.#entries.set(pattern.text, entry);
    let node = this.#root;
    for (const segment of indexed(pattern)) node = child(node, segment);
    node.entries.add(entry);
    this.#came.push(entry);
    this.#noteChange();
  }

  /** Removes a listener from a pattern; one that is not there is ignored. */
  delete(pattern: TopicPattern, listener: T): void {
    const entry = this.#entries.get(pattern.text);
    if (entry === undefined || !entry.listeners.delete(listener)) return;
    if (entry.listeners.size > 0) return;
    this.#entries.delete(pattern.text);
    prune(this.#root, { entry, path: indexed(pattern) });
    this.#went++;
    this.#noteChange();
  }

  /**
   * The listeners of each pattern that matches a topic: one that has several of them is in several sets, and those of a
   * pattern that went may be there and empty.
   */
  of(topic: string): readonly ReadonlySet<T>[] {
    if (this.#entries.size === 0) return [];
    const found = this.#remembered.get(topic);
    return found === undefined ? this.#remember(topic) : this.#update(found, topic);
  }

  /** The listeners of each pattern. */
  *all(): Iterable<ReadonlySet<T>> {
    for (const { listeners } of this.#entries.values()) yield listeners;
  }

  #remember(topic: string): readonly ReadonlySet<T>[] {
    const sets = this.#find(topic);
    if (this.#remembered.size >= REMEMBERED) this.#forget();
    this.#remembered.set(topic, { sets, seen: this.#came.length });
    return sets;
  }

  #update(found: Found<T>, topic: string): readonly ReadonlySet<T>[] {
    while (found.seen < this.#came.length) {
      const entry = this.#came[found.seen++];
      if (entry === undefined || entry.listeners.size === 0) continue;
      if (entry.pattern.matches(topic)) found.sets.push(entry.listeners);
    }
    return found.sets;
  }

  #noteChange(): void {
    if (this.#came.length + this.#went >= CHANGES) this.#forget();
  }

  #forget(): void {
    this.#remembered.clear();
    this.#came = [];
    this.#went = 0;
  }

  #find(topic: string): ReadonlySet<T>[] {
    const segments = segmentsOf(topic);
    const found: ReadonlySet<T>[] = [];
    const visit = (node: Node<T> | undefined, depth: number) => {
      if (node === undefined) return;
      for (const { pattern, listeners } of node.entries) {
        if (pattern.matches(topic)) found.push(listeners);
      }
      const segment = segments[depth];
      if (segment === undefined || node.next.size === 0) return;
      visit(node.next.get(segment), depth + 1);
      const star = starOf(segment);
      if (star !== segment) visit(node.next.get(star), depth + 1);
    };
    visit(this.#root, 0);
    return found;
  }
}

function nodeOf<T>(): Node<T> {
  return { next: new Map(), entries: new Set() };
}

function child<T>(node: Node<T>, segment: string): Node<T> {
  let next = node.next.get(segment);
  if (next === undefined) node.next.set(segment, next = nodeOf());
  return next;
}

/** Removes an entry, and the nodes on its path that nothing else needs. */
function prune<T>(
  node: Node<T>,
  { entry, path: [segment, ...path] }: { entry: Entry<T>; path: readonly string[] },
): void {
  const next = segment === undefined ? undefined : node.next.get(segment);
  if (segment === undefined || next === undefined) {
    node.entries.delete(entry);
    return;
  }
  prune(next, { entry, path });
  if (next.entries.size === 0 && next.next.size === 0) node.next.delete(segment);
}

/** The segments of a pattern that it is found by. */
function indexed({ text }: TopicPattern): readonly string[] {
  const segments = segmentsOf(text).slice(0, DEEPEST);
  const end = segments.findIndex((segment) => segment.includes("*") && segment !== starOf(segment));
  return end === -1 ? segments : segments.slice(0, end);
}
