import { type ErrorCode, RunnelError } from "../errors.ts";

/** Options of {@link Slots}. */
export interface SlotsOptions {
  /** What is counted, as the answer and the audit log call it. */
  readonly what: string;
  /** What is answered where there is none left. */
  readonly code: ErrorCode;
  /** Most slots in this process. @default no limit */
  readonly most?: number | undefined;
  /** Most slots of one identity in this process. @default no limit */
  readonly mostOfOne?: number | undefined;
}

/** Slots of this process for what stays open: each is taken when something opens, and given back when it ends. */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #byName = new Map<string, number>();
  #taken = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** How many are taken now. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a slot for an identity.
   *
   * @returns what gives it back; only its first call counts
   * @throws {RunnelError} The options' code, where none is left.
   */
  take(name: string): () => void {
    const { what, most = Infinity, mostOfOne = Infinity } = this.#options;
    const own = this.#byName.get(name) ?? 0;
    if (own >= mostOfOne) {
      const detail = `An identity may have ${mostOfOne} ${what} open at a process`;
      throw this.#refused(detail, `${what} of an identity`);
    }
    if (this.#taken >= most) throw this.#refused(`This process has ${most} ${what} open`, what);
    this.#taken++;
    this.#byName.set(name, own + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(name);
      isTaken = false;
    };
  }

  #giveBack(name: string): void {
    this.#taken--;
    const left = (this.#byName.get(name) ?? 0) - 1;
    if (left > 0) this.#byName.set(name, left);
    else this.#byName.delete(name);
  }

  #refused(detail: string, limit: string): RunnelError {
    return new RunnelError(this.#options.code, detail, { audit: { limit } });
  }
}
