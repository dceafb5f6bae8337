import { createHmac, timingSafeEqual } from "node:crypto";
import { abortable } from "./wait.ts";

/** What subscriptions' names are signed with. */
export interface SecretSource {
  /**
   * The secret, the same for all processes.
   *
   * @throws RedisFailure where it is not known yet and Redis cannot be reached
   */
  secret(): Promise<string>;
  /** Looks whether it is another one by now. */
  renew(): Promise<void>;
}

const SIGNED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{22})$/;

/**
 * Names of subscriptions, `<uuid>.<signature>`: whoever confirms a message shows that it has a subscription, which a
 * client cannot invent and every process can check.
 */
export class SubscriptionNames {
  readonly #source: SecretSource;

  constructor(source: SecretSource) {
    this.#source = source;
  }

  /**
   * Names a new subscription.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async create(signal: AbortSignal): Promise<string> {
    const id = crypto.randomUUID();
    return `${id}.${signatureOf(id, await abortable(this.#source.secret(), signal))}`;
  }

  /**
   * The unsigned name; undefined where no process has signed it.
   *
   * @throws RedisFailure where Redis cannot be reached
   */
  async verify(name: string): Promise<string | undefined> {
    const [, id, signature] = SIGNED.exec(name) ?? [];
    if (id === undefined || signature === undefined) return undefined;
    if (isSignature(signature, id, await this.#source.secret())) return id;
    // Redis may have come back without its data, and another process was first to make a secret
    await this.#source.renew();
    return isSignature(signature, id, await this.#source.secret()) ? id : undefined;
  }
}

function signatureOf(id: string, secret: string): string {
  return createHmac("sha256", secret).update(id).digest("base64url").slice(0, 22);
}

function isSignature(text: string, id: string, secret: string): boolean {
  const bytes = (signature: string) => new TextEncoder().encode(signature);
  return timingSafeEqual(bytes(text), bytes(signatureOf(id, secret)));
}
