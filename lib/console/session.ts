import type { Api } from "./api.ts";
import { wantedText } from "./credential_words.ts";
import { keep, readKept } from "./kept.ts";
import { Store } from "./store.ts";

/** Who looks. */
export interface SessionState {
  /** Whether somebody gave a credential. */
  readonly isSignedIn: boolean;
  /** Why a credential is wanted; undefined where none is. */
  readonly wanted?: string;
}

const KEY = "runnel-token";

/** The credential of whoever signed in: for as long as the tab lives, and nowhere else. */
export class Session {
  readonly state: Store<SessionState>;
  readonly #api: Api;
  #isTrying = false;

  constructor(api: Api) {
    this.#api = api;
    const token = readKept("sessionStorage", KEY);
    if (token !== undefined) api.token = token;
    this.state = new Store<SessionState>({ isSignedIn: token !== undefined });
    api.onUnauthorized = (error) => {
      if (!this.#isTrying) this.#ask(wantedText(error));
    };
  }

  /**
   * Signs in with a key or a token.
   *
   * @throws {ApiError} where it is refused
   */
  async signIn(token: string): Promise<void> {
    const before = this.#api.token;
    this.#api.token = token;
    this.#isTrying = true;
    try {
      await this.#api.call("GET", "topics?limit=1");
    } catch (error) {
      this.#api.token = before;
      throw error;
    } finally {
      this.#isTrying = false;
    }
    keep("sessionStorage", KEY, token);
    this.state.value = { isSignedIn: true };
  }

  /** Forgets the credential. */
  signOut(): void {
    this.#ask("You have signed out");
  }

  #ask(wanted: string): void {
    this.#api.token = undefined;
    keep("sessionStorage", KEY, undefined);
    this.state.value = { isSignedIn: false, wanted };
  }
}
