import { type ApiKey, hashOf, keyIdOf, takes } from "../codec/api_key.ts";
import type { Grants } from "../codec/grants.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { GrantedIdentity, type Identity } from "./identity.ts";

/** Where keys are kept that can come and go while the server runs. */
export interface KeySource {
  /**
   * All keys that are in use.
   *
   * @throws {RunnelError} Why they cannot be read.
   */
  list(): Promise<readonly ApiKey[]>;
}

/** Options of {@link KeyRing}. */
export interface KeyRingOptions {
  /** Keys of the configuration. */
  readonly configured: readonly ApiKey[];
  readonly source: KeySource;
  readonly log: Logger;
}

/** How old the list may be that a known key is found in, in milliseconds; what uses a key that is gone ends as late. */
const FRESH_MS = 2_000;
/** How old it may be while it is read again, so that a Redis that stalls does not stall everybody. */
const STALE_MS = 4_000;
/** How often the list is read for what is not in it, so that keys that somebody makes up cost little. */
const ABSENT_MS = 20;

interface Ring {
  readonly keys: ReadonlyMap<string, ApiKey>;
  /** When it was read, by `performance.now()`. */
  readonly at: number;
}

interface Holder {
  readonly id: string;
  readonly identity: Identity;
  readonly end: AbortController;
}

/**
 * The API keys. Those that are kept in Redis are read again every two seconds once one was used, so that a key that is
 * revoked ends what it has open. Where they cannot be read, no request with such a key is let in that is not known, and
 * streams stay.
 */
export class KeyRing implements Disposable {
  readonly #options: KeyRingOptions;
  readonly #configured: ReadonlyMap<string, ApiKey>;
  readonly #holders = new Map<string, Holder>();
  #ring: Ring | undefined;
  #reading: Promise<Ring> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: KeyRingOptions) {
    this.#options = options;
    this.#configured = byId(options.configured);
  }

  /**
   * Who a key is of.
   *
   * @throws {RunnelError} `invalid_token`, or why the keys cannot be read.
   */
  identify(text: string): Identity | Promise<Identity> {
    const id = keyIdOf(text);
    if (id === undefined) throw refused();
    const hash = hashOf(text);
    const isTaken = (key: ApiKey) => takes(key, { given: hash, now: Date.now() });
    const configured = this.#configured.get(id);
    if (configured !== undefined) {
      if (!isTaken(configured)) throw refused();
      return this.#hold(configured, hash).identity;
    }
    const ring = this.#ring;
    const stored = ring?.keys.get(id);
    if (ring !== undefined && stored !== undefined && age(ring) < STALE_MS && isTaken(stored)) {
      if (age(ring) > FRESH_MS) this.#read().catch((error) => this.#tell(error));
      return this.#hold(stored, hash).identity;
    }
    return this.#find(id, isTaken).then((key) => this.#hold(key, hash).identity);
  }

  /**
   * The identity that a ticket or cookie was given for, by its `keyRef`.
   *
   * @throws {RunnelError} `invalid_token` where its key is not taken any more, or why the keys cannot be read.
   */
  async holderOf(keyRef: string): Promise<Identity> {
    const [id = "", start = ""] = keyRef.split(".");
    if (start === "") throw refused();
    const hashIn = ({ hash, previous }: ApiKey) =>
      [hash, previous?.hash].find((one) =>
        one !== undefined && refOf({ id, hash: one }) === keyRef
      );
    const isTaken = (key: ApiKey) => takes(key, { given: hashIn(key) ?? "", now: Date.now() });
    const configured = this.#configured.get(id);
    const key = configured ?? await this.#find(id, isTaken);
    if (!isTaken(key)) throw refused();
    return this.#hold(key, hashIn(key) ?? "").identity;
  }

  /** Reads no more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** A refusal rests on a list that was read after the request came, or a moment before: the key may be that new. */
  async #find(id: string, isTaken: (key: ApiKey) => boolean): Promise<ApiKey> {
    const least = performance.now() - ABSENT_MS;
    let ring = this.#ring;
    for (;;) {
      const key = ring?.keys.get(id);
      if (ring !== undefined && key !== undefined && age(ring) < STALE_MS && isTaken(key)) {
        return key;
      }
      if (ring !== undefined && ring.at > least) throw refused();
      // one that is under way may have begun before: then it is read once more
      ring = await this.#read();
    }
  }

  #hold(key: ApiKey, hash: string): Holder {
    const known = this.#holders.get(hash);
    if (known !== undefined) return known;
    const end = new AbortController();
    const { name, id, expiresAt, previous } = key;
    const ends = [expiresAt, hash === previous?.hash ? previous.until : undefined];
    const first = Math.min(...ends.map((time) => time ?? Infinity));
    const identity = new GrantedIdentity({
      name: `key:${name}`,
      grants: grantsOf(key),
      ...(first === Infinity ? {} : { expiresAt: first }),
      revoked: end.signal,
      keyRef: refOf({ id, hash }),
    });
    const holder = { id, identity, end };
    this.#holders.set(hash, holder);
    if (!this.#configured.has(id)) this.#keepReading();
    return holder;
  }

  #read(): Promise<Ring> {
    return this.#reading ??= this.#readOnce().finally(() => this.#reading = undefined);
  }

  async #readOnce(): Promise<Ring> {
    const at = performance.now();
    this.#ring = { keys: byId(await this.#options.source.list()), at };
    this.#endOthers(this.#ring.keys);
    return this.#ring;
  }

  /** Ends what was opened with a key that is not taken any more, or grants something else by now. */
  #endOthers(keys: ReadonlyMap<string, ApiKey>): void {
    const now = Date.now();
    for (const [hash, { id, identity, end }] of this.#holders) {
      if (this.#configured.has(id)) continue;
      const key = keys.get(id);
      const isTaken = key !== undefined && takes(key, { given: hash, now }) &&
        JSON.stringify(grantsOf(key)) === JSON.stringify(identity.grants);
      if (isTaken) continue;
      this.#holders.delete(hash);
      end.abort();
    }
  }

  #tell(error: unknown): void {
    this.#options.log.debug("API keys cannot be read", { error });
  }

  #keepReading(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.#read();
      } catch (error) {
        this.#tell(error);
      }
      this.#timer = undefined;
      if (this.#holders.size > 0) this.#keepReading();
    }, FRESH_MS);
  }
}

function byId(keys: readonly ApiKey[]): Map<string, ApiKey> {
  return new Map(keys.map((key) => [key.id, key]));
}

function age({ at }: Ring): number {
  return performance.now() - at;
}

function grantsOf({ publish, subscribe, consume, manage }: ApiKey): Grants {
  return { publish, subscribe, consume, manage };
}

/** Names a key and one of its texts, and tells neither. */
function refOf({ id, hash }: { id: string; hash: string }): string {
  return `${id}.${hash.slice("sha256:".length, "sha256:".length + 16)}`;
}

function refused(): RunnelError {
  return new RunnelError("invalid_token", "The API key is not known, or has ended");
}
