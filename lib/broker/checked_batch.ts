import { RunnelError } from "../errors.ts";
import { ATOMIC_MESSAGES } from "./committer.ts";
import type { PreparedMessage } from "./publish_input.ts";
import type { Publisher, PublishOutcome } from "./publisher.ts";

/** One message of a batch: as it is to be published, or why it cannot be. */
export type Checked = PreparedMessage | RunnelError;

/** Whether a message can be published. */
export function isGood(one: Checked): one is PreparedMessage {
  return !(one instanceof RunnelError);
}

/** Publishes the good messages of a batch; what becomes of each, in the order of the batch. Never rejects. */
export async function publishGood(
  publisher: Pick<Publisher, "publish">,
  batch: readonly Checked[],
  options: { atomic?: boolean } = {},
): Promise<readonly PublishOutcome[]> {
  const good = batch.filter(isGood);
  const outcomes = good.length === 0 ? [] : await publisher.publish(good, options);
  if (good.length === batch.length) return outcomes;
  const rest = outcomes.values();
  return batch.map((one) => isGood(one) ? rest.next().value ?? new RunnelError("internal") : one);
}

/**
 * Refuses a batch of which all or none are to be stored where it cannot be all.
 *
 * @throws {RunnelError} `invalid_request` with what is wrong with each message, or that they are too many; where a
 *   message is not allowed, just that, as it is answered and noted in the log as what it is
 */
export function requireAllGood(batch: readonly Checked[]): void {
  batch.forEach(requireAllowed);
  const errors = batch.flatMap(faultsOf);
  if (errors.length > 0) {
    throw new RunnelError("invalid_request", "None was stored: the batch is atomic", { errors });
  }
  if (batch.length > ATOMIC_MESSAGES) {
    const detail = `An atomic batch has at most ${ATOMIC_MESSAGES} messages`;
    throw new RunnelError("invalid_request", detail, {
      errors: [{ pointer: "#/messages", detail }],
    });
  }
}

function requireAllowed(one: Checked, i: number): void {
  if (isGood(one) || ![401, 403].includes(one.status)) return;
  const { code, message: detail, audit } = one;
  throw new RunnelError(code, detail, { audit, errors: [{ pointer: placeOf(i), detail }] });
}

function faultsOf(one: Checked, i: number): { pointer: string; detail: string }[] {
  const place = placeOf(i);
  if (isGood(one)) {
    return one.ephemeral
      ? [{ pointer: `${place}/durability`, detail: "An atomic batch is stored" }]
      : [];
  }
  if (one.errors.length === 0) return [{ pointer: place, detail: one.message }];
  return one.errors.map(({ pointer, detail }) => ({
    pointer: `${place}${pointer.slice(1)}`,
    detail,
  }));
}

function placeOf(i: number): string {
  return `#/messages/${i}`;
}
