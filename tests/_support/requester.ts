/** Requests and awaited confirmations on one process's feed, below HTTP, whose parts a test can make worse. */
import { Committer } from "../../lib/broker/committer.ts";
import type { Outcome } from "../../lib/broker/commit_plan.ts";
import { Confirmations, type ConfirmationsOptions } from "../../lib/broker/confirmations.ts";
import { Feed } from "../../lib/broker/feed.ts";
import { GroupIndex } from "../../lib/broker/group_index.ts";
import { Requests, type RequestsOptions } from "../../lib/broker/requests.ts";
import { RunnelError } from "../../lib/errors.ts";
import { memoryLog } from "./memory_log.ts";
import { Partition } from "./partition.ts";

/** Options of {@link openRequester}. */
export interface RequesterOptions {
  readonly redisUrl: string;
  /** Another way to the same Redis, for the feed's link alone. @default redisUrl */
  readonly feedUrl?: string;
  /** Methods of the stores that are the test's own. @default none */
  readonly worse?: Partial<RequestsOptions["store"] & ConfirmationsOptions["store"]>;
  /** Most requests open at a time. @default as in production */
  readonly most?: RequestsOptions["most"];
}

/** Requests of one process. Disposing it closes what it opened. */
export interface Requester extends AsyncDisposable {
  readonly requests: Requests;
  readonly confirmations: Confirmations;
  readonly partition: Partition;
}

/** Puts requests together. */
export function openRequester(options: RequesterOptions): Requester {
  const { redisUrl, feedUrl = redisUrl, worse = {}, most } = options;
  const partition = new Partition(redisUrl, { prefix: "rn" });
  const link = new Partition(feedUrl, { prefix: "rn" });
  const { log } = memoryLog();
  const processId = crypto.randomUUID();
  const committer = new Committer({
    store: partition.store,
    log,
    index: new GroupIndex(partition.store.groups),
  });
  const feed = new Feed({
    store: partition.store,
    openLink: (events) => link.node.openFeedLink(events),
    log,
    processId,
  });
  const publish = async (message: Parameters<Committer["store"]>[0][number]): Promise<Outcome> =>
    (await committer.store([message]))[0] ?? new RunnelError("internal");
  const parts = { feed, publish, log, processId, ...(most === undefined ? {} : { most }) };
  const { requests: open, confirmations: awaited } = partition.store;
  const requests = new Requests({
    store: {
      reply: (reply) => open.reply(reply),
      read: (ranges) => open.read(ranges),
      end: (range) => open.end(range),
      remove: (ids) => open.remove(ids),
      ...worse,
    },
    ...parts,
  });
  const confirmations = new Confirmations({
    store: {
      register: (message) => awaited.register(message),
      confirm: (confirmation) => awaited.confirm(confirmation),
      count: (id) => awaited.count(id),
      ...worse,
    },
    ...parts,
  });
  return {
    requests,
    confirmations,
    partition,
    [Symbol.asyncDispose]: async () => {
      await requests[Symbol.asyncDispose]();
      await confirmations[Symbol.asyncDispose]();
      await committer[Symbol.asyncDispose]();
      await feed[Symbol.asyncDispose]();
      await partition[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
