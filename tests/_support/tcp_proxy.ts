/** A loopback TCP proxy with faults at the wire: cuts, stalls, lost replies. */
import { listenOnFreePort } from "../../lib/cli/topology/ports.ts";
import { randomSource } from "./random.ts";

/** Says whether some bytes on their way to the server are the ones meant. A RegExp sees them as latin1 text. */
export type BytesMatch = RegExp | ((bytes: Uint8Array) => boolean);

/** Where the proxy leads. */
export type ProxyTarget = { readonly port: number } | { readonly path: string };

/** Options of {@link TcpProxy.cutAfterRequest}. */
export interface CutAfterRequestOptions {
  /** How many matching requests lose their reply. @default 1 */
  readonly times?: number;
}

/** Options of {@link TcpProxy.cutAtRandom}. */
export interface RandomCutOptions {
  /** The same seed draws the same numbers. */
  readonly seed: number;
  /** Chance from 0 to 1 that a connection is cut at a chunk of bytes, counted in both directions. */
  readonly chance: number;
}

/** A TCP proxy on 127.0.0.1. Disposing it cuts everything and closes the port. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections cut so far, by whatever fault. */
  readonly cuts: number;
  /** Closes every open connection. New ones are accepted. */
  cutAll(): void;
  /** Closes the port and every connection: the server is away. */
  down(): void;
  /** Opens the port again. */
  up(): void;
  /** Half-open: nothing passes in either direction, nothing is reset; new connections are accepted and hang. */
  stall(): void;
  /**
   * Ends a stall. What was sent meanwhile arrives late, also from a client that has given up since, as with a network
   * that was slow; with `forget`, the connections of that time stay dead for good, as after a lost NAT entry.
   */
  unstall(options?: { readonly forget?: boolean }): void;
  /**
   * Makes connections half-open for good, as after a lost NAT entry: nothing passes and nothing is reset. New ones work.
   * The first `but` of those accepted so far are left out, and those whose client did not begin with what is named.
   */
  forget(options?: { readonly but?: number; readonly begin?: RegExp }): void;
  /**
   * Makes connections half-open for good whose client began with what is named, also those that come, until disposed;
   * what makes a connection one of them is swallowed too.
   */
  swallow(begin: RegExp): Disposable;
  /**
   * Delivers a matching request to the server, waits until the server answers, and cuts the connection in place of
   * handing the answer over: it was executed and the client cannot know. Assumes one request in flight a connection.
   * `done` resolves when all have been cut.
   */
  cutAfterRequest(match: BytesMatch, options?: CutAfterRequestOptions): { done: Promise<void> };
  /** Cuts at random: before, in the middle of or after a chunk of either direction, until disposed. */
  cutAtRandom(options: RandomCutOptions): Disposable;
}

/** Starts a proxy on a free port. */
export function startProxy(target: ProxyTarget): TcpProxy {
  return new LoopbackProxy(target);
}

interface LostReply {
  readonly match: BytesMatch;
  left: number;
  cut: number;
  readonly times: number;
  readonly finished: () => void;
}

type Passage = "whole" | "none" | "half" | "last";

class LoopbackProxy implements TcpProxy {
  readonly port: number;
  readonly #target: ProxyTarget;
  readonly #links = new Set<Link>();
  readonly #lost: LostReply[] = [];
  readonly #running = new Set<Promise<void>>();
  #listener: Deno.TcpListener | undefined;
  #gate = Promise.withResolvers<void>();
  #stalled = false;
  #draw: (() => Passage) | undefined;
  #swallowed: RegExp | undefined;
  accepted = 0;
  cuts = 0;

  constructor(target: ProxyTarget) {
    this.#target = target;
    this.#gate.resolve();
    this.#listener = listenOnFreePort();
    this.port = this.#listener.addr.port;
    this.#run(this.#accept(this.#listener));
  }

  get connections(): number {
    return this.#links.size;
  }

  cutAll(): void {
    for (const link of [...this.#links]) this.#cut(link);
  }

  down(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.cutAll();
  }

  up(): void {
    if (this.#listener) return;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#run(this.#accept(this.#listener));
  }

  stall(): void {
    if (this.#stalled) return;
    this.#stalled = true;
    this.#gate = Promise.withResolvers<void>();
  }

  unstall({ forget = false } = {}): void {
    if (forget) this.forget();
    this.#stalled = false;
    this.#gate.resolve();
  }

  forget({ but = 0, begin = /^/ }: { but?: number; begin?: RegExp } = {}): void {
    for (const link of this.#links) {
      if (link.number > but && begin.test(link.begin)) link.forgotten = true;
    }
  }

  swallow(begin: RegExp): Disposable {
    this.forget({ begin });
    this.#swallowed = begin;
    return { [Symbol.dispose]: () => this.#swallowed = undefined };
  }

  cutAfterRequest(match: BytesMatch, { times = 1 }: CutAfterRequestOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lost.push({ match, left: times, cut: 0, times, finished: resolve });
    return { done: promise };
  }

  cutAtRandom({ seed, chance }: RandomCutOptions): Disposable {
    const random = randomSource(seed);
    const kinds = ["none", "half", "last"] as const;
    const draw = (): Passage => {
      if (random() >= chance) return "whole";
      return kinds[Math.floor(random() * kinds.length)] ?? "none";
    };
    this.#draw = draw;
    return {
      [Symbol.dispose]: () => {
        if (this.#draw === draw) this.#draw = undefined;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down();
    this.unstall();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(task: Promise<void>): void {
    const running = task.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    // A closed listener ends the loop by itself.
    for await (const client of listener) {
      this.#run(this.#serve(client, ++this.accepted));
    }
  }

  async #serve(client: Deno.TcpConn, number: number): Promise<void> {
    client.setNoDelay();
    const link = new Link(client, number);
    this.#links.add(link);
    await this.#gate.promise;
    try {
      link.server = await connect(this.#target);
    } catch {
      // Nobody listens behind the proxy: the client sees its connection closed.
      this.#cut(link);
      return;
    }
    if (link.closed) return closeQuietly(link.server);
    const pumps = [
      this.#pump(link, link.client, link.server, "up"),
      this.#pump(link, link.server, link.client, "down"),
    ];
    await Promise.race(pumps);
    this.#drop(link);
    await Promise.all(pumps);
  }

  async #pump(
    link: Link,
    from: Deno.Conn,
    to: Deno.Conn,
    direction: "up" | "down",
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      while (!link.closed) {
        const size = await from.read(buffer);
        await this.#gate.promise;
        // A forgotten link is half-open: it neither delivers nor tells of an end.
        if (link.forgotten) await link.gone;
        if (size === null || link.closed) return;
        if (!await this.#pass(link, to, { bytes: buffer.subarray(0, size), direction })) return;
      }
    } catch {
      // Either side closed it, which ends the link.
    }
  }

  /** Hands one chunk over, or commits the fault that is due. False ends the link. */
  async #pass(link: Link, to: Deno.Conn, chunk: Chunk): Promise<boolean> {
    if (chunk.direction === "down" && link.lost) {
      const lost = link.lost;
      this.#cut(link);
      if (++lost.cut === lost.times) lost.finished();
      return false;
    }
    if (chunk.direction === "up") link.lost ??= this.#findLost(link, chunk.bytes);
    if (chunk.direction === "up" && this.#swallowed?.test(link.begin)) {
      link.forgotten = true;
      await link.gone;
      return false;
    }
    const passage = this.#draw?.() ?? "whole";
    if (passage === "half") await write(to, chunk.bytes.subarray(0, chunk.bytes.length >> 1));
    if (passage === "whole" || passage === "last") await write(to, chunk.bytes);
    if (passage !== "whole") this.#cut(link);
    return passage === "whole";
  }

  #findLost(link: Link, bytes: Uint8Array): LostReply | undefined {
    const fresh = latin1.decode(bytes);
    if (link.begin.length < BEGIN_LENGTH) link.begin += fresh.slice(0, BEGIN_LENGTH);
    const text = link.tail + fresh;
    // Enough for a pattern that a chunk's end divides.
    link.tail = text.slice(-64);
    for (const lost of this.#lost) {
      const { match } = lost;
      const found = match instanceof RegExp ? text.search(match) >= 0 : match(bytes);
      if (lost.left === 0 || !found) continue;
      lost.left--;
      return lost;
    }
  }

  #cut(link: Link): void {
    if (!link.closed) this.cuts++;
    this.#drop(link);
  }

  #drop(link: Link): void {
    link.close();
    this.#links.delete(link);
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly direction: "up" | "down";
}

class Link {
  readonly client: Deno.Conn;
  /** Which one it is of all that were accepted, from 1. */
  readonly number: number;
  readonly #gone = Promise.withResolvers<void>();
  server: Deno.Conn | undefined;
  lost: LostReply | undefined;
  forgotten = false;
  closed = false;
  /** What the client sent first. */
  begin = "";
  tail = "";

  constructor(client: Deno.Conn, number: number) {
    this.client = client;
    this.number = number;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeQuietly(this.client);
    if (this.server) closeQuietly(this.server);
    this.#gone.resolve();
  }
}

const BEGIN_LENGTH = 1_024;
const latin1 = new TextDecoder("latin1");

function connect(target: ProxyTarget): Promise<Deno.Conn> {
  if ("path" in target) return Deno.connect({ transport: "unix", path: target.path });
  return Deno.connect({ hostname: "127.0.0.1", port: target.port });
}

async function write(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await to.write(rest));
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed by the other pump.
  }
}
