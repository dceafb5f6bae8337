import { type Closed, shuttingDown } from "./closed.ts";
import { parseJsonText } from "../codec/json.ts";
import { messageJson, type StoredMessage } from "../codec/message.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { RequestState, RequestStore } from "../redis/request_store.ts";
import type { Outcome } from "./commit_plan.ts";
import type { Feed } from "./feed.ts";
import { Handover } from "./handover.ts";
import { OpenRequest } from "./open_request.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { Recheck } from "./recheck.ts";
import { Removals } from "./removals.ts";
import {
  prepareReply,
  prepareRequest,
  type ReplyInput,
  type RequestInput,
} from "./request_input.ts";
import { sendUntilKnown } from "./resend.ts";
import { within } from "./wait.ts";

/** Options of {@link Requests}. */
export interface RequestsOptions {
  readonly store: Pick<RequestStore, "reply" | "read" | "end" | "remove">;
  readonly feed: Feed;
  /** Stores a message. */
  readonly publish: (message: PreparedMessage) => Promise<Outcome>;
  readonly log: Logger;
  readonly processId: string;
  /** Names a request, so that the name leads to this partition. @default any name */
  readonly newId?: () => string;
  /** Most requests open at a time; more are refused. @default 20000 */
  readonly most?: number;
  /** Why nothing new is taken after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** How long the feed's link and a reply's answer may take, in milliseconds. */
const PATIENCE_MS = 1_800;

/**
 * Requests of this process that wait for replies. A requester costs some memory and no connection: replies come on the
 * process's own channel. Each is stored with its request before it is announced, so that what the feed's link lost is
 * read when it is back, and once more before a request is given up.
 */
export class Requests implements AsyncDisposable {
  readonly #options: Required<RequestsOptions>;
  readonly #open = new Map<string, OpenRequest>();
  readonly #removals: Removals;
  /** Requests whose replies are to be read. */
  readonly #recheck: Recheck<OpenRequest>;
  #leave: (() => void) | undefined;
  #draining = false;
  #emptied: PromiseWithResolvers<void> | undefined;

  constructor(options: RequestsOptions) {
    this.#options = {
      most: 20_000,
      newId: () => crypto.randomUUID(),
      closed: shuttingDown,
      ...options,
    };
    this.#removals = new Removals((ids) => options.store.remove(ids));
    this.#recheck = new Recheck({
      check: (some) => this.#check(some),
      isOpen: ({ id }) => this.#open.has(id),
      log: options.log,
    });
  }

  /** How many wait now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Publishes a request and waits for its replies.
   *
   * @param signal ends the waiting: the requester has gone
   * @throws RunnelError why it was not published, `no_reply`, or why nothing new is taken
   * @throws {Handover} An {@link OpenRequest}, where it is to {@link resume} elsewhere.
   */
  async request(input: RequestInput, signal: AbortSignal): Promise<readonly StoredMessage[]> {
    if (this.#draining) throw this.#options.closed();
    if (this.#open.size >= this.#options.most) {
      throw new RunnelError("overloaded", "Too many requests wait for a reply");
    }
    const until = performance.now() + input.timeoutMs;
    const open = new OpenRequest(this.#options.newId(), input.replies ?? 1, until);
    return await this.#wait(input, { open, signal });
  }

  /** Goes on with a request that was published where its partition was before. */
  async resume(
    open: OpenRequest,
    input: RequestInput,
    signal: AbortSignal,
  ): Promise<readonly StoredMessage[]> {
    if (this.#draining) throw new Handover(open);
    open.reopen();
    return await this.#wait(input, { open, signal });
  }

  async #wait(
    input: RequestInput,
    { open, signal }: { open: OpenRequest; signal: AbortSignal },
  ): Promise<readonly StoredMessage[]> {
    const leave = () => open.fail(new RunnelError("client_closed"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const leftMs = Math.max(0, open.until - performance.now());
    const timer = setTimeout(() => open.giveUp(), leftMs);
    this.#open.set(open.id, open);
    try {
      this.#attend();
      // what came while nobody attended here is read
      if (open.isPublished) this.#recheck.add([open]);
      else await this.#publish(input, open);
      return await this.#answer(input, open);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      this.#recheck.forget(open);
      this.#open.delete(open.id);
      if (this.#open.size === 0) this.#emptied?.resolve();
    }
  }

  /**
   * Hands in a reply, to whatever process the requester is at.
   *
   * @throws RunnelError `requester_gone`, `idempotency_conflict`, `payload_too_large`, or why Redis did not take it
   */
  async reply(input: ReplyInput): Promise<void> {
    const reply = prepareReply(input);
    const outcome = await sendUntilKnown(() => this.#options.store.reply(reply), {
      deadline: performance.now() + PATIENCE_MS,
      unknown:
        "Redis was lost before it answered: reply again with the same idempotency key, and it is taken once",
    });
    switch (outcome) {
      case "taken":
        return;
      case "gone":
        throw new RunnelError("requester_gone");
      case "conflict":
        throw new RunnelError("idempotency_conflict");
      case "full":
        throw new RunnelError("payload_too_large", "The replies to the request are too large");
    }
  }

  /** Answers those who wait with why nothing new is taken, or hands over what goes on elsewhere. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    this.#emptied ??= Promise.withResolvers();
    if (this.#open.size === 0) this.#emptied.resolve();
    for (const open of this.#open.values()) {
      const why = this.#options.closed();
      const goesOn = open.isPublished && why.code === "partition_split";
      open.fail(goesOn ? new Handover(open) : why);
    }
    await this.#emptied.promise;
    this.#leave?.();
    await this.#recheck[Symbol.asyncDispose]();
    await this.#removals[Symbol.asyncDispose]();
  }

  #attend(): void {
    this.#leave ??= this.#options.feed.attend({
      onReply: ({ id, index, time, body }) => {
        const open = this.#open.get(id);
        if (open === undefined) return;
        if (body === undefined) this.#recheck.add([open]);
        else open.take({ index, time, body });
      },
      onOnline: () => this.#recheck.add(this.#open.values()),
    });
  }

  async #publish(input: RequestInput, open: OpenRequest): Promise<void> {
    const { feed, publish, processId } = this.#options;
    const late = () => new RunnelError("redis_timeout");
    await within(PATIENCE_MS, late, (signal) => feed.online(signal));
    const outcome = await publish(prepareRequest(input, { id: open.id, processId }));
    open.isPublished = true;
    if (!(outcome instanceof RunnelError) || open.isAnswered) return;
    // it may have been stored all the same
    if (outcome.code === "outcome_unknown") this.#removals.add(open.id);
    throw outcome;
  }

  async #answer(input: RequestInput, open: OpenRequest): Promise<readonly StoredMessage[]> {
    try {
      await open.over;
    } catch (error) {
      if (!(error instanceof Handover)) this.#removals.add(open.id);
      throw error;
    }
    if (open.isAnswered) this.#removals.add(open.id);
    else await this.#lookAndEnd(open);
    if (open.isAnswered) return open.replies;
    const { replies } = open;
    const members = input.replies === undefined
      ? {}
      : { replies: replies.map((message) => parseJsonText(messageJson(message))) };
    throw new RunnelError("no_reply", undefined, { members });
  }

  async #lookAndEnd(open: OpenRequest): Promise<void> {
    try {
      this.#apply(open, await this.#options.store.end(open.missing));
    } catch (error) {
      this.#removals.add(open.id);
      throw error;
    }
  }

  async #check(some: readonly OpenRequest[]): Promise<void> {
    const published = some.map(({ isPublished }) => isPublished);
    const states = await this.#options.store.read(some.map(({ missing }) => missing));
    for (const [i, state] of states.entries()) {
      const open = some[i];
      if (open === undefined) continue;
      this.#apply(open, state);
      // one that is not published yet is not there yet either
      if (!state.open && published[i]) open.fail(lost());
    }
  }

  #apply(open: OpenRequest, { replies }: RequestState): void {
    for (const reply of replies) open.take(reply);
  }
}

function lost(): RunnelError {
  return new RunnelError("no_reply", "Redis has lost the request, so that none can come any more");
}
