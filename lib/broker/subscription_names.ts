import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { RedisFailure } from "../redis/failure.ts";
import type { ConfirmationStore } from "../redis/confirmation_store.ts";
import { abortable } from "./wait.ts";

const SIGNED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{22})$/;

/**
 * Names of subscriptions, `<uuid>.<signature>`: whoever confirms a message shows that it has a subscription, which a
 * client cannot invent and every process can check.
 */
export class SubscriptionNames {
  readonly #store: Pick<ConfirmationStore, "secret">;
  #secret = randomBytes(32).toString("base64url");
  #reading: Promise<string> | undefined;

  constructor(store: Pick<ConfirmationStore, "secret">) {
    this.#store = store;
  }

  /**
   * Names a new subscription. Where Redis takes no writes and there is no secret yet the name has no signature, so that
   * it confirms nothing.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async create(signal: AbortSignal): Promise<string> {
    const id = crypto.randomUUID();
    try {
      return `${id}.${signatureOf(id, await abortable(this.#known(), signal))}`;
    } catch (error) {
      if (error instanceof RedisFailure && error.outcome === "refused") return id;
      throw error;
    }
  }

  /**
   * The unsigned name; undefined where no process has signed it.
   *
   * @throws RedisFailure where Redis cannot be reached
   */
  async verify(name: string): Promise<string | undefined> {
    const [, id, signature] = SIGNED.exec(name) ?? [];
    if (id === undefined || signature === undefined) return undefined;
    if (isSignature(signature, id, await this.#known())) return id;
    // Redis may have come back without its data, and another process was first to make a secret
    this.forget();
    return isSignature(signature, id, await this.#known()) ? id : undefined;
  }

  /** Reads the secret again when it is next needed. */
  forget(): void {
    this.#reading = undefined;
  }

  #known(): Promise<string> {
    // where Redis has lost it, the one that was known keeps open subscriptions valid
    const reading = this.#reading ??= this.#store.secret(this.#secret).then((secret) =>
      this.#secret = secret
    );
    reading.catch(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    return reading;
  }
}

function signatureOf(id: string, secret: string): string {
  return createHmac("sha256", secret).update(id).digest("base64url").slice(0, 22);
}

function isSignature(text: string, id: string, secret: string): boolean {
  return timingSafeEqual(new TextEncoder().encode(text), signatureBytes(id, secret));
}

function signatureBytes(id: string, secret: string): Uint8Array {
  return new TextEncoder().encode(signatureOf(id, secret));
}
